from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import moment, ms
from tracer import keys
from tracer.doctor.answers import NAME_ATTRIBUTE, Answer
from tracer.doctor.diagnosis import State
from tracer.doctor.worker_report import WorkerReport
from tracer.moment import Kind
from tracer.timeline.fold import fold

if TYPE_CHECKING:
    from tracer.timeline.entities import Worker

ATTRIBUTE = keys.PARTICIPANT_ATTRIBUTE + NAME_ATTRIBUTE
REQUESTED = ms(1000)


def workers(*names: str, standing: Kind = Kind.WORKER_REGISTERED) -> list[Worker]:
    told = [
        moment(standing, f"AW_{number}", ms(number), room="", told={keys.AGENT_NAME: name, keys.WORKER_HOST: "box"})
        for number, name in enumerate(names)
    ]
    return list(fold("", (), workers=told).workers)


def report(found: dict[str, Answer], known: list[Worker], *, requested: bool = False) -> WorkerReport:
    return WorkerReport(found, known, REQUESTED, 6.04, requested)


def test_an_answer_names_worker_machine_and_agent() -> None:
    found = {"helper": Answer(0.244, "AW_0"), "": Answer(0.3)}
    assert report(found, workers("helper")).answered("helper", found["helper"]).text == (
        "worker AW_0 on box answered for agent 'helper' within 244 ms"
    )
    assert report(found, []).answered("", found[""]).text == "a worker answered for the unnamed agent within 300 ms"


@pytest.mark.parametrize(
    ("refusal", "said", "fix"),
    [
        ("", "rejected the job for the unnamed agent", "check its on_request (in Node, requestFunc): only accept()"),
        ("rejected", "rejected the job for the unnamed agent", "check its on_request"),
        ("raised", "its on_request raised", "look for the exception in the worker's log"),
        ("unanswered", "its on_request ended without an answer", "check its on_request"),
        ("full", "it is full", "start more workers, or raise load_threshold"),
        ("draining", "it is draining and accepts no new jobs", "start another worker"),
    ],
)
def test_a_rejection_is_said_with_what_was_in_the_way(refusal: str, said: str, fix: str) -> None:
    answer = Answer(0.3, "AW_0", rejected=True, refusal=refusal)
    finding = report({"": answer}, workers("")).answered("", answer)
    assert finding.state is State.FAILED
    assert finding.text.endswith(said)
    assert finding.fix.startswith(fix)


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
    [(Kind.WORKER_FULL, "worker AW_0 was full"), (Kind.WORKER_DRAINING, "worker AW_0 was draining")],
)
def test_a_worker_that_takes_no_job_says_why(standing: Kind, said: str) -> None:
    assert said in report({}, workers("", standing=standing)).nobody("").text


def test_a_worker_that_was_full_only_when_it_was_wanted_is_not_one_that_stopped() -> None:
    told = {keys.AGENT_NAME: ""}
    steps = [(Kind.WORKER_REGISTERED, 0), (Kind.WORKER_FULL, 900), (Kind.WORKER_AVAILABLE, 3400)]
    known = [moment(kind, "AW_0", ms(at), room="", told=told) for kind, at in steps]
    finding = report({}, list(fold("", (), workers=known).workers)).nobody("")
    assert finding.text.endswith("worker AW_0 was full")
    assert finding.fix == "start more workers, or raise load_threshold"


def test_names_of_strangers_stay_on_the_line() -> None:
    known = workers(*(f"\x1b[31m{'x' * 500}\n{number}" for number in range(9)))
    finding = report({}, known, requested=True).nobody("\u202e" + "y" * 500)
    assert finding.text.isprintable()
    assert finding.fix.isprintable()
    assert len(finding.text) < 400
    assert finding.text.endswith("and 6 more")


def test_a_worker_that_did_not_get_the_job_is_told_to_answer_sooner() -> None:
    found = {"": Answer(0.4, "AW_0", silent=True)}
    finding = report(found, []).answered("", found[""])
    assert (finding.state, "request_fnc" in finding.fix) == (State.FAILED, True)
