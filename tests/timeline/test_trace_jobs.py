from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import AGENT, JOB, ROOM, any_moments, call, moment, ms
from tests.otlp import TRACE, job, node_job, node_request, request
from tracer import keys
from tracer.export.spans import spans
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.timeline.trace_jobs import job_of_trace, joined
from tracer.view import json as view
from tracer.witness import agent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

NAMING = ("job_entrypoint", "agent_session")
"""The spans in which livekit-agents names the job, whether tracer is there or not."""
OTHERS = [m for m in call() if m.witness != "agent"]
"""What webhooks and the API tell of the call."""


def plain_job() -> list[Span]:
    """The spans of one job as livekit-agents makes them, nobody having stamped them."""
    made = job()
    for one in made:
        if one.name not in NAMING:
            kept = [item for item in one.attributes if item.key != keys.JOB_ID]
            del one.attributes[:]
            one.attributes.extend(kept)
    return made


def told(made: Iterable[Span]) -> list[Moment]:
    """The moments that these spans tell, each sent alone."""
    return list(chain.from_iterable(agent.arrival(request(one)).moments for one in made))


def about(trace: bytes, kind: Kind = Kind.AGENT_CONNECTING, at: float = 212) -> Moment:
    return moment(kind, job_of_trace(trace), ms(at), witness="agent", clock="agent")


def naming(trace: bytes, which: str = JOB) -> Moment:
    return moment(Kind.JOB_RECEIVED, which, ms(201.4), told={keys.AGENT_TRACE: trace.hex()})


def test_only_two_spans_name_the_job() -> None:
    named = {one.name for one in plain_job() if any(item.key == keys.JOB_ID for item in one.attributes)}
    assert named == set(NAMING)
    subjects = {m.subject for m in told(plain_job())}
    assert subjects == {JOB, job_of_trace(TRACE)}


@given(st.permutations(plain_job()), st.integers(0, len(OTHERS)))
def test_a_plain_agent_gives_what_an_instrumented_one_gives_in_whatever_order(made: list[Span], before: int) -> None:
    plain = [*OTHERS[:before], *told(made), *OTHERS[before:]]
    stamped = [*told(job()), *OTHERS]
    assert view.timeline(fold(ROOM, plain)) == view.timeline(fold(ROOM, stamped))
    assert spans(fold(ROOM, plain)) == spans(fold(ROOM, stamped))


@pytest.mark.parametrize("name", NAMING)
def test_each_of_the_two_is_enough(name: str) -> None:
    lost = next(other for other in NAMING if other != name)
    steps = fold(ROOM, told(one for one in plain_job() if one.name != lost)).jobs[0].steps
    assert {Kind.AGENT_CONNECTING, Kind.SESSION_STARTED, Kind.JOB_SHUTDOWN} <= {step.kind for step in steps}


def test_a_session_tells_no_time_that_its_start_tells_better() -> None:
    with_it, without = (
        fold(ROOM, told(one for one in job() if one.name != lost)).jobs[0].at(Kind.SESSION_STARTING)
        for lost in ("nothing", "agent_session")
    )
    assert with_it
    assert without
    assert (with_it.earliest, with_it.latest, with_it.time) == (without.earliest, without.latest, without.time)


UNNAMED = told(one for one in plain_job() if one.name not in NAMING)


def test_moments_of_a_job_nobody_named_are_held_back() -> None:
    assert UNNAMED
    assert view.timeline(fold(ROOM, UNNAMED))["moments"] == []
    told_by_webhooks = [m for m in OTHERS if m.kind is not Kind.JOB_OFFERED]
    assert spans(fold(ROOM, [*UNNAMED, *told_by_webhooks])) == spans(fold(ROOM, told_by_webhooks))


def test_without_either_it_is_the_job_whose_identity_the_agent_has() -> None:
    [one] = fold(ROOM, [*UNNAMED, *OTHERS]).jobs
    assert one.sid == JOB
    assert {Kind.JOB_OFFERED, Kind.AGENT_CONNECTED, Kind.SESSION_STARTED} <= {step.kind for step in one.steps}


def test_an_identity_that_two_jobs_were_given_says_nothing() -> None:
    again = moment(Kind.JOB_OFFERED, "AJ_again", ms(5000), told={keys.PARTICIPANT_IDENTITY: "agent-" + JOB})
    assert fold(ROOM, [*UNNAMED, *OTHERS, again]).jobs[0].at(Kind.AGENT_CONNECTED) is None
    named = told(plain_job())
    assert {m.subject for m in joined([*named, *OTHERS, again]) if m.witness == "agent"} == {JOB}


def test_the_identity_of_the_caller_is_not_the_agents() -> None:
    offered = moment(Kind.JOB_OFFERED, "AJ_ada", ms(1), told={keys.PARTICIPANT_IDENTITY: "ada"})
    waited = [m for m in UNNAMED if m.kind is Kind.AGENT_PARTICIPANT_READY]
    assert joined([offered, *waited]) == [offered]


def test_moments_of_a_trace_that_two_jobs_share_are_held_back() -> None:
    both = [about(TRACE), naming(TRACE), naming(TRACE, "AJ_other")]
    assert joined(both) == both[1:]


def test_each_trace_is_joined_to_its_own_job() -> None:
    other = bytes(16)[:-1] + b"\1"
    moments = [about(TRACE), about(other), naming(TRACE), naming(other, "AJ_other")]
    assert [m.subject for m in joined(moments)] == [JOB, "AJ_other", JOB, "AJ_other"]


def test_a_job_that_is_known_by_a_trace_only_names_nobody() -> None:
    assert joined([about(TRACE), naming(TRACE, job_of_trace(b"x" * 16))]) == []


@given(any_moments())
def test_joining_what_is_joined_changes_nothing(moments: list[Moment]) -> None:
    once = joined(moments)
    assert joined(once) == once


@given(any_moments(), st.randoms(use_true_random=False))
def test_the_order_changes_nothing(moments: list[Moment], random: object) -> None:
    moments = [*moments, about(TRACE), naming(TRACE)]
    shuffled = list(moments)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(joined(shuffled)) == set(joined(moments))


@given(any_moments())
def test_no_trace_is_left_as_a_subject(moments: list[Moment]) -> None:
    timeline = fold(ROOM, [*moments, about(TRACE), about(b"unknown" * 2)])
    assert not [step for step in timeline.steps if step.subject.startswith("trace:")]


def test_the_agent_in_the_room_is_the_jobs_before_its_job_is_over() -> None:
    so_far = [one for one in plain_job() if one.name in ("room_connect", "agent_session")]
    timeline = fold(ROOM, [*OTHERS, *told(so_far)])
    participant = timeline.agent_of(timeline.jobs[0])
    assert participant
    assert participant.sid == AGENT


IN_NODE = [m for m in agent.arrival(node_request(*node_job())).moments if m.room == ROOM]
"""What an agent in Node reports that sets up its telemetry in its entrypoint: nothing of it names the job."""


@pytest.mark.parametrize("lost", [None, Kind.JOB_OFFERED, Kind.PARTICIPANT_JOINING])
def test_an_agent_that_names_no_job_is_the_rooms_one_job(lost: Kind | None) -> None:
    [one] = fold(ROOM, [*IN_NODE, *(m for m in OTHERS if m.kind is not lost)]).jobs
    assert one.sid == JOB
    assert one.at(Kind.SESSION_STARTED)


def test_it_is_nobodys_where_there_were_two_jobs_or_two_agents_or_two_traces() -> None:
    job_offered = moment(Kind.JOB_OFFERED, "AJ_again", ms(5000))
    agent_came = moment(Kind.PARTICIPANT_JOINING, "PA_avatar", ms(5000), told={keys.PARTICIPANT_KIND: "AGENT"})
    for more in (job_offered, agent_came, about(TRACE[::-1])):
        timeline = fold(ROOM, [*IN_NODE, *OTHERS, more])
        assert not [step for step in timeline.steps if step.kind is Kind.SESSION_STARTED], more
