from __future__ import annotations

import pytest

from tests.moments import AGENT, DISPATCH, JOB, ROOM, WORKER, call, moment, ms
from tracer import keys
from tracer.doctor.answers import NAME_ATTRIBUTE, Answer, answers
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold

ATTRIBUTE = keys.PARTICIPANT_ATTRIBUTE + NAME_ATTRIBUTE


def joined(name: str | None) -> Moment:
    told = {keys.PARTICIPANT_KIND: "AGENT", keys.PARTICIPANT_IDENTITY: "x", ATTRIBUTE: name}
    return moment(Kind.PARTICIPANT_JOINING, AGENT, ms(300), told=told)


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


def test_a_worker_that_reports_its_refusal_says_how() -> None:
    about = {keys.JOB_ID: JOB, keys.DISPATCH_ID: DISPATCH, keys.AGENT_NAME: "", keys.WORKER_ID: WORKER}
    refused = moment(Kind.JOB_REJECTED, JOB, ms(203), witness="agent", told={keys.JOB_ANSWER: "full"})
    known = answers(fold(ROOM, [moment(Kind.JOB_OFFERED, JOB, ms(201), told=about), refused]), [""], 0.4)[""]
    assert (known.rejected, known.refusal) == (True, "full")


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
    assigned = moment(Kind.JOB_ASSIGNED, JOB, ms(4203), witness="agent", clock="agent", told=about)
    assert not answers(fold(ROOM, [*asked, late, assigned]), [""], 4.4)[""].silent
    listed = moment(Kind.JOB_OFFERED, JOB, ms(201), told=about)
    assert not answers(fold(ROOM, [*asked, listed]), [""], 4.4)[""].silent
    joined_it = answers(fold(ROOM, [*asked, joined(None)]), [""], 0.5)
    assert not joined_it[""].silent
