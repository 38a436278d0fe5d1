"""Who is a caller, who is there for others only, and which participant a job became."""

from __future__ import annotations

import pytest

from tests.moments import AGENT, JOB, ROOM, call, moment, ms
from tracer import keys
from tracer.moment import Kind
from tracer.timeline.fold import fold


@pytest.mark.parametrize(
    ("kind", "caller", "dependent"),
    [
        ("STANDARD", True, False),
        ("SIP", True, False),
        ("CONNECTOR", True, False),
        (None, True, False),
        ("INGRESS", False, False),
        ("BRIDGE", False, False),
        ("EGRESS", False, True),
        ("AGENT", False, True),
    ],
)
def test_who_is_a_caller(kind: str | None, caller: bool, dependent: bool) -> None:
    joining = moment(Kind.PARTICIPANT_JOINING, "PA_x", ms(2), told={keys.PARTICIPANT_KIND: kind} if kind else {})
    timeline = fold(ROOM, [joining])
    (participant,) = timeline.participants
    assert (participant.is_caller, participant.is_dependent) == (caller, dependent)
    assert timeline.callers == [participant] * caller


def test_callers_are_in_the_order_in_which_they_came() -> None:
    joins = [moment(Kind.PARTICIPANT_JOINING, sid, ms(at)) for sid, at in (("PA_a", 9), ("PA_c", 5), ("PA_b", 5))]
    assert [caller.sid for caller in fold(ROOM, joins).callers] == ["PA_b", "PA_c", "PA_a"]


def test_a_job_became_who_connected_for_it_and_else_who_has_its_identity() -> None:
    second = moment(
        Kind.PARTICIPANT_JOINING,
        "PA_second",
        ms(300),
        told={keys.PARTICIPANT_KIND: "AGENT", keys.PARTICIPANT_IDENTITY: "agent-AJ_i9CF"},
    )
    timeline = fold(ROOM, [*call(), second])
    assert timeline.agent_by_job == {JOB: timeline.by_sid[AGENT]}
    unconnected = fold(ROOM, [m for m in [*call(), second] if m.kind is not Kind.AGENT_CONNECTED])
    assert unconnected.agent_by_job.keys() <= {JOB}
    assert all(unconnected.agent_of(job) is unconnected.agent_by_job.get(job.sid) for job in unconnected.jobs)
