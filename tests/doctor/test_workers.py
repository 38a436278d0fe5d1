from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import AGENT, DISPATCH, JOB, ROOM, WORKER, call, moment, ms
from tracer import keys
from tracer.doctor.diagnosis import State
from tracer.doctor.workers import NAME_ATTRIBUTE, Answer, _Report, answers
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold

if TYPE_CHECKING:
    from tracer.timeline.entities import Worker

ATTRIBUTE = keys.PARTICIPANT_ATTRIBUTE + NAME_ATTRIBUTE


def joined(name: str | None) -> Moment:
    told = {keys.PARTICIPANT_KIND: "AGENT", keys.PARTICIPANT_IDENTITY: "x", ATTRIBUTE: name}
    return moment(Kind.PARTICIPANT_JOINING, AGENT, ms(300), told=told)


def workers(*names: str, standing: Kind = Kind.WORKER_REGISTERED) -> list[Worker]:
    told = [
        moment(standing, f"AW_{number}", ms(number), room="", told={keys.AGENT_NAME: name, keys.WORKER_HOST: "box"})
        for number, name in enumerate(names)
    ]
    return list(fold("", (), workers=told).workers)


def test_a_job_names_the_worker_that_answered() -> None:
    assert answers(fold(ROOM, call()), [""], 0.4) == {"": Answer(0.4, WORKER)}


def test_a_name_that_was_not_requested_is_no_answer() -> None:
    assert answers(fold(ROOM, call()), ["helper"], 0.4) == {}


@pytest.mark.parametrize(("name", "asked"), [("helper", "helper"), (None, "")])
def test_an_agent_in_the_room_is_an_answer_though_no_job_is_known(name: str | None, asked: str) -> None:
    assert answers(fold(ROOM, [joined(name)]), ["", "helper"], 0.4) == {asked: Answer(0.4)}


def test_a_job_that_ended_as_it_began_was_turned_down() -> None:
    about = {keys.JOB_ID: JOB, keys.DISPATCH_ID: DISPATCH, keys.AGENT_NAME: "", keys.WORKER_ID: WORKER}
    job = [moment(kind, JOB, ms(201), told=about) for kind in (Kind.JOB_OFFERED, Kind.JOB_ENDED)]
    assert answers(fold(ROOM, job), [""], 0.4)[""].rejected
    accepted = moment(Kind.JOB_ACCEPTED, JOB, ms(202), told=about)
    assert not answers(fold(ROOM, [*job, accepted]), [""], 0.4)[""].rejected


def test_a_worker_that_was_asked_has_not_answered_until_it_has_the_job() -> None:
    told_by = {"witness": "agent", "clock": "agent", "occurrence": WORKER}
    about = {keys.JOB_ID: JOB, keys.DISPATCH_ID: DISPATCH, keys.AGENT_NAME: "", keys.WORKER_ID: WORKER}
    asked = [
        moment(Kind.JOB_OFFERED, JOB, ms(201), witness="agent", told=about),
        moment(Kind.JOB_RECEIVED, JOB, ms(202), told=about, **told_by),  # type: ignore[arg-type]
    ]
    assert answers(fold(ROOM, asked), [""], 0.4)[""].silent
    late = moment(Kind.JOB_ACCEPTED, JOB, ms(4202), told=about, **told_by)  # type: ignore[arg-type]
    found = answers(fold(ROOM, [*asked, late]), [""], 4.4)
    assert found[""].silent  # the server no longer waited
    finding = report(found, []).answered("", found[""])
    assert (finding.state, "request_fnc" in finding.fix) == (State.FAILED, True)
    assigned = moment(Kind.JOB_ASSIGNED, JOB, ms(4203), witness="agent", clock="agent", told=about)
    assert not answers(fold(ROOM, [*asked, late, assigned]), [""], 4.4)[""].silent
    listed = moment(Kind.JOB_OFFERED, JOB, ms(201), told=about)
    assert not answers(fold(ROOM, [*asked, listed]), [""], 4.4)[""].silent
    joined_it = answers(fold(ROOM, [*asked, joined(None)]), [""], 0.5)
    assert not joined_it[""].silent


def report(found: dict[str, Answer], known: list[Worker], *, requested: bool = False) -> _Report:
    return _Report(found, known, 6.04, requested)


def test_an_answer_names_worker_machine_and_agent() -> None:
    found = {"helper": Answer(0.244, "AW_0"), "": Answer(0.3)}
    assert report(found, workers("helper")).answered("helper", found["helper"]).text == (
        "worker AW_0 on box answers for agent 'helper', within 244 ms"
    )
    assert report(found, []).answered("", found[""]).text == "a worker answers for the unnamed agent, within 300 ms"


@pytest.mark.parametrize(
    ("name", "found", "known", "requested", "state", "fix"),
    [
        ("", [], [], False, State.FAILED, "start one with this LIVEKIT_URL"),
        ("", ["helper"], [], False, State.WARNING, "request 'helper' in the token"),
        ("", [], ["helper"], False, State.FAILED, "start one with this LIVEKIT_URL"),
        ("", [], [], True, State.FAILED, "start one with this LIVEKIT_URL"),
        ("helper", [], ["Helper"], True, State.FAILED, "request 'Helper', or write agent_name='helper'"),
        ("helpr", [], ["billing", "helper"], True, State.FAILED, "request 'helper', or write agent_name='helpr'"),
        ("helper", [], ["billing"], True, State.FAILED, "start one with @server.rtc_session(agent_name='helper')"),
        ("helper", [], ["helper"], True, State.FAILED, "start one with this LIVEKIT_URL"),
        ("helper", [""], ["helper"], False, State.WARNING, "start one with this LIVEKIT_URL"),
    ],
)
def test_nobody_is_said_with_what_to_do(
    name: str, found: list[str], known: list[str], requested: bool, state: State, fix: str
) -> None:
    finding = report({one: Answer(0.1) for one in found}, workers(*known), requested=requested).nobody(name)
    assert (finding.state, finding.fix.startswith(fix)) == (state, True), finding
    assert "within 6 s" in finding.text
    assert all(repr(other) in finding.text for other in [*found, *known] if other and other != name)


@pytest.mark.parametrize(
    ("standing", "said"),
    [(Kind.WORKER_FULL, "worker AW_0 is full"), (Kind.WORKER_DRAINING, "worker AW_0 is draining")],
)
def test_a_worker_that_takes_no_job_says_why(standing: Kind, said: str) -> None:
    assert said in report({}, workers("", standing=standing)).nobody("").text


def test_names_of_strangers_stay_on_the_line() -> None:
    known = workers(*(f"\x1b[31m{'x' * 500}\n{number}" for number in range(9)))
    finding = report({}, known, requested=True).nobody("\u202e" + "y" * 500)
    assert finding.text.isprintable()
    assert finding.fix.isprintable()
    assert len(finding.text) < 400
    assert finding.text.endswith("and 6 more")
