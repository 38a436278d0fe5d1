from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given

from tests.moments import ADA, AGENT, DISPATCH, GHOST, JOB, MICROPHONE, ROOM, any_moments, call, moment, ms
from tracer import keys
from tracer.check import RULES
from tracer.moment import Kind, Moment
from tracer.timeline.precedence import TABLE, Guarantee, must_precede, ordered_pairs
from tracer.timeline.step import merge


def pairs(*moments: Moment) -> set[tuple[str, str]]:
    return {
        (f"{cause.kind} {cause.subject}", f"{effect.kind} {effect.subject}")
        for cause, effect in must_precede(merge(moments))
    }


def test_a_missing_link_is_skipped() -> None:
    assert pairs(
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(2)),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(97)),
    ) == {(f"participant.joining {ADA}", f"participant.active {ADA}")}


def test_nothing_binds_two_participants() -> None:
    assert not pairs(moment(Kind.PARTICIPANT_JOINING, ADA, ms(2)), moment(Kind.PARTICIPANT_ACTIVE, AGENT, ms(1)))


def test_the_room_spans_all_that_the_server_does_and_not_what_the_agent_does() -> None:
    found = pairs(*call())
    for what in (
        f"dispatch.created {GHOST}",
        f"participant.left {AGENT}",
        f"track.published {MICROPHONE}",
        f"job.offered {JOB}",
    ):
        assert (f"room.created {ROOM}", what) in found
        assert (what, f"room.finished {ROOM}") in found
    assert (f"job.ended {JOB}", f"room.finished {ROOM}") not in found


def test_a_job_follows_its_own_dispatch_only() -> None:
    found = pairs(*call())
    assert (f"dispatch.created {DISPATCH}", f"job.offered {JOB}") in found
    assert (f"dispatch.created {GHOST}", f"job.offered {JOB}") not in found


def test_the_agent_joins_while_its_job_connects() -> None:
    found = pairs(*call())
    assert (f"agent.connecting {JOB}", f"participant.joining {AGENT}") in found
    assert (f"participant.joining {AGENT}", f"agent.connected {JOB}") in found


def test_a_track_follows_its_publishers_join() -> None:
    assert (f"participant.joining {ADA}", f"track.published {MICROPHONE}") in pairs(*call())


def test_two_sessions_do_not_bind_each_other() -> None:
    assert pairs(
        moment(Kind.SESSION_STARTING, JOB, ms(1), occurrence="a"),
        moment(Kind.SESSION_STARTED, JOB, ms(2), occurrence="a"),
        moment(Kind.SESSION_STARTING, JOB, ms(3), occurrence="b"),
        moment(Kind.SESSION_CLOSED, JOB, ms(4), occurrence="a"),
    ) == {(f"session.starting {JOB}", f"session.started {JOB}"), (f"session.started {JOB}", f"session.closed {JOB}")}


def test_every_pair_holds_in_a_real_call() -> None:
    for cause, effect in must_precede(merge(call())):
        assert cause.time <= effect.time, f"{cause.kind} {cause.subject} is not before {effect.kind} {effect.subject}"


def test_a_step_reported_under_two_names_binds_the_same_in_any_order() -> None:
    moments = [
        moment(Kind.JOB_OFFERED, JOB, ms(1), occurrence="a", told={keys.DISPATCH_ID: DISPATCH}),
        moment(Kind.JOB_OFFERED, JOB, ms(9), occurrence="b", told={keys.DISPATCH_ID: DISPATCH}),
        moment(Kind.JOB_RECEIVED, JOB, ms(5)),
    ]
    orders = permutations(moments)
    found = {tuple((cause.time, effect.time) for cause, effect in must_precede(merge(order))) for order in orders}
    assert len(found) == 1


@given(any_moments())
def test_no_chain_of_causes_leads_back_to_itself(moments: list[Moment]) -> None:
    after: dict[tuple[Kind, str, str], set[tuple[Kind, str, str]]] = {}
    for cause, effect in must_precede(merge(moments)):
        after.setdefault((cause.kind, cause.subject, cause.occurrence), set()).add(
            (effect.kind, effect.subject, effect.occurrence)
        )
    while after:
        effects = set().union(*after.values())
        first = [step for step in after if step not in effects]
        assert first, f"a circle among {sorted(after)}"
        for step in first:
            del after[step]


def test_two_kinds_are_ordered_by_one_guarantee_and_never_both_ways() -> None:
    guarantees: dict[tuple[Kind, Kind], set[Guarantee]] = {}
    for row in TABLE:
        guarantees.setdefault((row.cause, row.effect), set()).add(row.guarantee)
    assert {kinds: found for kinds, found in guarantees.items() if len(found) > 1} == {}
    assert [(cause, effect) for cause, effect in guarantees if (effect, cause) in guarantees] == []


def test_every_guarantee_has_rows_and_is_a_rule_of_check() -> None:
    assert {row.guarantee for row in TABLE} == set(Guarantee)
    assert set(Guarantee) <= {rule.name for rule in RULES}


def test_a_pair_carries_its_guarantee_and_comes_once() -> None:
    found = list(ordered_pairs(merge(call())))
    assert len({(id(pair.cause), id(pair.effect)) for pair in found}) == len(found)
    by_guarantee: dict[Guarantee, set[tuple[Kind, Kind]]] = {guarantee: set() for guarantee in Guarantee}
    for pair in found:
        by_guarantee[pair.guarantee].add((pair.cause.kind, pair.effect.kind))
    assert by_guarantee[Guarantee.CLOCKS] == {
        (Kind.JOB_OFFERED, Kind.JOB_RECEIVED),
        (Kind.JOB_OFFERED, Kind.JOB_ASSIGNED),
    }
    assert by_guarantee[Guarantee.AGENT_CONNECTS] == {
        (Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTING),
        (Kind.AGENT_CONNECTING, Kind.PARTICIPANT_JOINING),
        (Kind.PARTICIPANT_JOINING, Kind.AGENT_CONNECTED),
        (Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED),
    }


@pytest.mark.parametrize(
    ("reason", "disconnected", "binds"),
    [
        ("", "CLIENT_INITIATED", True),
        ("room disconnected", "CLIENT_INITIATED", False),  # it left by itself, and the job shut down because of that
        ("", "ROOM_CLOSED", False),
    ],
)
def test_an_agent_leaves_after_the_shutdown_that_disconnects_it(reason: str, disconnected: str, binds: bool) -> None:
    found = pairs(
        moment(Kind.AGENT_CONNECTED, JOB, ms(1), told={keys.PARTICIPANT_ID: AGENT}),
        moment(Kind.JOB_SHUTDOWN, JOB, ms(2), told={keys.SHUTDOWN_REASON: reason}),
        moment(Kind.PARTICIPANT_LEFT, AGENT, ms(3), told={keys.DISCONNECT_REASON: disconnected}),
    )
    assert ((f"job.shutdown {JOB}", f"participant.left {AGENT}") in found) is binds


def test_only_the_worker_that_was_given_the_job_answers_before_it_is_assigned() -> None:
    assigned = moment(Kind.JOB_ASSIGNED, JOB, ms(9), told={keys.WORKER_ID: "AW_second"})
    answers = [moment(Kind.JOB_ACCEPTED, JOB, ms(1), occurrence=worker) for worker in ("AW_first", "AW_second")]
    found = [pair for pair in ordered_pairs(merge([assigned, *answers])) if pair.effect.kind is Kind.JOB_ASSIGNED]
    assert [pair.cause.occurrence for pair in found] == ["AW_second"]
