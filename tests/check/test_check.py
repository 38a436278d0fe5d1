from __future__ import annotations

import asyncio
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clocks.test_offsets import connected, exact, joining, offered, shifted
from tests.moments import (
    ABOUT_ADA,
    ABOUT_AGENT,
    ABOUT_JOB,
    ABOUT_ROOM,
    ADA,
    AGENT,
    DISPATCH,
    JOB,
    ROOM,
    SESSION,
    WORKER,
    _agent,
    _cut,
    _polled,
    _webhook,
    any_moments,
    call,
    moment,
    ms,
)
from tests.otlp import job, request
from tests.receiving import receiving
from tests.signed import SERVER
from tracer import keys
from tracer.check import RULES, Outcome, RoomCheck, check
from tracer.moment import Kind, Moment
from tracer.service.recording import replay
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.witness import agent

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable
    from pathlib import Path

HOUR = 3600 * NS_PER_S


def judged(*moments: Moment) -> RoomCheck:
    return check(fold(ROOM, moments))


def violated(checked: RoomCheck) -> list[int]:
    """The numbers of the rules that are."""
    return [j.rule.number for j in checked.judgements if j.answer is Outcome.VIOLATED]


def sentences(checked: RoomCheck, number: int, answer: Outcome | None = None) -> list[str]:
    verdicts = checked.judgements[number - 1].verdicts
    return [verdict.sentence for verdict in verdicts if answer in (None, verdict.answer)]


def swapped(moments: Iterable[Moment], one: tuple[Kind, str], other: tuple[Kind, str]) -> list[Moment]:
    """The call with the times of two steps exchanged."""
    told = list(moments)
    first, second = (next(m for m in told if (m.kind, m.subject) == which) for which in (one, other))
    times = {one: second, other: first}
    return [
        replace(m, earliest=to.earliest, time=to.time, latest=to.latest)
        if (to := times.get((m.kind, m.subject)))
        else m
        for m in told
    ]


def test_the_rules_are_numbered_named_and_said() -> None:
    assert [rule.number for rule in RULES] == list(range(1, 11))
    assert len({rule.name for rule in RULES}) == 10
    for rule in RULES:
        assert type(rule).__doc__
        assert rule.name.replace("-", "").isalpha()
        assert len(rule.sentence) <= 58, "it must fit beside its count in 80 columns"


def test_a_true_call_holds() -> None:
    checked = judged(*call())
    assert [j.answer for j in checked.judgements] == [Outcome.HOLDS] * 10
    assert checked.answer is Outcome.HOLDS
    assert not checked.violated


def test_a_recorded_call_holds(tmp_path: Path) -> None:
    lines = resources.files("tracer.demo").joinpath("call.jsonl").read_text(encoding="utf-8").splitlines()

    async def played() -> list[Moment]:
        async with receiving(tmp_path / "call.db") as client:
            await replay(lines, f"http://127.0.0.1:{client.port}", SERVER, client.receiver.keep)
            return client.store.moments(client.store.find("demo"))

    moments = asyncio.run(played())
    checked = check(fold(moments[0].room or moments[-1].room, moments))
    assert [j.answer for j in checked.judgements] == [Outcome.HOLDS] * 10, [v.sentence for v in checked.violated]
    untold = [v.sentence for j in checked.judgements for v in j.having(Outcome.UNTOLD)]
    assert len(untold) <= 6, untold


def test_nothing_told_is_nothing_judged() -> None:
    checked = judged()
    assert checked.answer is Outcome.UNTOLD
    assert all(j.summary.startswith("cannot be told: ") for j in checked.judgements)
    assert checked.clocks.offsets == {}


def test_a_gap_is_measured_and_said() -> None:
    checked = judged(*call())
    assert f"job {JOB} was accepted 0.8 ms after it was received" in sentences(checked, 3)
    assert f"agent-{JOB} was JOINING 44 ms after job {JOB} began to connect, each by its own clock" in sentences(
        checked, 4
    )


SAME_CLOCK = [
    (1, (Kind.DISPATCH_CREATED, DISPATCH), (Kind.JOB_OFFERED, JOB)),
    (1, (Kind.ROOM_CREATED, ROOM), (Kind.PARTICIPANT_JOINING, ADA)),
    (2, (Kind.PARTICIPANT_JOINING, ADA), (Kind.PARTICIPANT_LEFT, ADA)),
    (2, (Kind.PARTICIPANT_ACTIVE, ADA), (Kind.PARTICIPANT_LEFT, ADA)),
    (3, (Kind.JOB_RECEIVED, JOB), (Kind.JOB_ACCEPTED, JOB)),
    (3, (Kind.JOB_ACCEPTED, JOB), (Kind.JOB_ASSIGNED, JOB)),
    (3, (Kind.JOB_PROCESS_ASSIGNED, JOB), (Kind.JOB_ENTRYPOINT_STARTED, JOB)),
    (4, (Kind.JOB_ENTRYPOINT_STARTED, JOB), (Kind.AGENT_CONNECTING, JOB)),
    (4, (Kind.AGENT_CONNECTING, JOB), (Kind.AGENT_CONNECTED, JOB)),
    (5, (Kind.AGENT_WAITING_FOR_PARTICIPANT, JOB), (Kind.AGENT_PARTICIPANT_READY, JOB)),
    (5, (Kind.SESSION_STARTING, JOB), (Kind.SESSION_STARTED, JOB)),
    (5, (Kind.SESSION_STARTED, JOB), (Kind.SESSION_CLOSED, JOB)),
    (5, (Kind.JOB_SHUTDOWN, JOB), (Kind.AGENT_DISCONNECTED, JOB)),
    (5, (Kind.AGENT_DISCONNECTED, JOB), (Kind.JOB_ENDED, JOB)),
    (9, (Kind.PARTICIPANT_LEFT, ADA), (Kind.ROOM_FINISHED, ROOM)),
    (10, (Kind.AGENT_CONNECTING, JOB), (Kind.PARTICIPANT_JOINING, AGENT)),
]


@pytest.mark.parametrize(("number", "one", "other"), SAME_CLOCK)
def test_what_is_swapped_is_found(number: int, one: tuple[Kind, str], other: tuple[Kind, str]) -> None:
    checked = judged(*swapped(call(), one, other))
    assert number in violated(checked)
    steps = {(s.kind, s.subject) for v in checked.judgements[number - 1].having(Outcome.VIOLATED) for s in v.steps}
    assert {one, other} & steps


def test_a_violation_says_by_how_much() -> None:
    told = [
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(5000), ms(5001) - 1, told=ABOUT_ADA),
        moment(Kind.PARTICIPANT_LEFT, ADA, ms(3000), told=ABOUT_ADA),
    ]
    assert sentences(judged(*told), 2) == ["ada left 2.0 s before ada was JOINING"]


def test_what_could_have_been_at_any_time_hides_nothing() -> None:
    told = [
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(5000)),
        moment(Kind.PARTICIPANT_JOINED, ADA, ms(0), ms(9000), clock="receiver"),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(0), ms(9000)),
        moment(Kind.PARTICIPANT_LEFT, ADA, ms(3000)),
    ]
    (verdict,) = judged(*told).violated
    assert [step.kind for step in verdict.steps] == [Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_LEFT]


@given(st.integers(-20 * HOUR, 20 * HOUR))
def test_an_agents_clock_may_be_off_by_anything(ns: int) -> None:
    checked = judged(*shifted(call(), ns))
    assert not checked.violated
    assert checked.judgements[9].answer is Outcome.HOLDS
    assert checked.judgements[3].answer is Outcome.HOLDS


def test_witnesses_that_differ_as_their_clocks_do_are_no_violation() -> None:
    ended = moment(Kind.JOB_ENDED, JOB, ms(201), ms(6530))
    checked = judged(*shifted(call(), HOUR), ended)
    assert not checked.violated
    (step,) = (step for step in checked.timeline.steps if step.contradicted)
    assert step.kind is Kind.JOB_ENDED
    (said,) = (s for s in sentences(checked, 10, Outcome.HOLDS) if "differ" in s)
    assert said == f"job {JOB} ended: agent and observer differ, and their clocks do"


def test_witnesses_of_one_clock_that_differ_are_a_violation() -> None:
    other = moment(Kind.ROOM_CREATED, ROOM, ms(7000), witness="webhook")
    checked = judged(moment(Kind.ROOM_CREATED, ROOM, ms(0), ms(1)), other)
    assert sentences(checked, 10, Outcome.VIOLATED) == [
        "the room was created: observer and webhook cannot both be right, they are 7.0 s apart"
    ]
    same = judged(moment(Kind.ROOM_CREATED, ROOM, ms(0)), moment(Kind.ROOM_CREATED, ROOM, ms(7000)))
    assert "two accounts by observer" in sentences(same, 10, Outcome.VIOLATED)[0]


def test_witnesses_that_cannot_both_be_right_put_nothing_else_out_of_order() -> None:
    checked = judged(*call(), moment(Kind.ROOM_CREATED, ROOM, ms(7000), witness="webhook"))
    (verdict,) = checked.violated
    assert [step.kind for step in verdict.steps] == [Kind.ROOM_CREATED]
    assert checked.judgements[0].answer is Outcome.HOLDS
    assert not any(offset.contradictory for offset in checked.clocks.offsets.values())


def test_a_clock_that_was_set_during_the_call_is_a_violation() -> None:
    first = [offered(200), exact(Kind.JOB_RECEIVED, 200.5), exact(Kind.AGENT_CONNECTING, 210), joining(250)]
    later = [offered(900, "AJ_2"), exact(Kind.JOB_RECEIVED, 600, job="AJ_2")]
    checked = judged(*first, connected(260), *later)
    assert violated(checked) == [10]
    (said,) = sentences(checked, 10, Outcome.VIOLATED)
    assert said == (
        "no offset of the clock of the agent on vm puts both in order, job AJ_2 was offered before job AJ_2 was "
        f"received and job {JOB} began to connect before agent-{JOB} was JOINING"
    )
    assert checked.judgements[3].answer is not Outcome.VIOLATED, "which of the two is wrong cannot be told"


def test_a_job_that_a_second_worker_took_is_in_order() -> None:
    first, second = "AW_first", WORKER
    told = [m for m in call() if m.kind is not Kind.JOB_RECEIVED]
    told += [
        offered(190, worker=first),
        exact(Kind.JOB_RECEIVED, 190.3, worker=first),
        replace(exact(Kind.JOB_REJECTED, 190.4, worker=first), occurrence=first),
        exact(Kind.JOB_RECEIVED, 201.4, worker=second),
    ]
    checked = judged(*told)
    assert not checked.violated
    assert checked.judgements[6].summary == "holds for 1"


def test_within_one_stamp_the_order_cannot_be_told() -> None:
    told = [moment(Kind.ROOM_CREATED, ROOM, ms(0), ms(1) - 1), moment(Kind.DISPATCH_CREATED, DISPATCH, ms(0.4))]
    first = judged(*told).judgements[0]
    assert first.answer is Outcome.UNTOLD
    (verdict,) = first.verdicts
    assert (
        verdict.sentence
        == f"dispatch {DISPATCH} was created between 0.6 ms before and 0.4 ms after the room was created"
    )
    assert verdict.why == "the times overlap: what is between them is told to 1.0 ms"
    assert first.summary == "cannot be told for 1"
    later = moment(Kind.PARTICIPANT_JOINING, ADA, ms(2))
    assert judged(*told, later).judgements[0].summary == "holds for 1 of 2; cannot be told for 1"


def test_clocks_that_nothing_bounds_leave_it_open() -> None:
    told = [exact(Kind.JOB_ASSIGNED, 5), moment(Kind.PARTICIPANT_ACTIVE, AGENT, ms(1), told=ABOUT_AGENT)]
    listed = moment(Kind.JOB_OFFERED, JOB, ms(0), told={keys.PARTICIPANT_IDENTITY: "agent-" + JOB})
    (verdict,) = judged(*told, listed).judgements[7].verdicts
    assert verdict.answer is Outcome.UNTOLD
    assert verdict.why == "how far the clock of the agent on vm is ahead of the server's is not bounded"


@pytest.mark.parametrize(
    ("given_identity", "answer"),
    [("agent-" + JOB, Outcome.HOLDS), ("somebody", Outcome.VIOLATED), (None, Outcome.UNTOLD)],
)
def test_an_agent_has_the_identity_its_job_was_given(given_identity: str | None, answer: Outcome) -> None:
    accepted = moment(Kind.JOB_ACCEPTED, JOB, ms(1), told={keys.PARTICIPANT_IDENTITY: given_identity}, witness="agent")
    checked = judged(accepted, connected(260), joining(250))
    assert [v.answer for v in checked.judgements[5].verdicts] == [answer]


def test_an_agent_in_another_room_of_its_name_is_a_ghost() -> None:
    here = fold(ROOM, [connected(260, sid="PA_ghost")])
    there = fold("RM_next", [replace(joining(250, sid="PA_ghost"), room="RM_next")])
    (verdict,) = check(replace(here, later=there)).judgements[5].verdicts
    assert (verdict.answer, verdict.sentence) == (
        Outcome.VIOLATED,
        f"the agent of job {JOB} joined room RM_next, which is not its job's",
    )
    (verdict,) = check(replace(there, earlier=here)).judgements[5].verdicts
    assert verdict.answer is Outcome.VIOLATED
    assert verdict.sentence == f"agent-{JOB} came by job {JOB}, which is room {ROOM}'s"
    (verdict,) = check(here).judgements[5].verdicts
    assert verdict.answer is Outcome.UNTOLD


def jobs(*types: str | None) -> list[Moment]:
    return [
        moment(Kind.JOB_OFFERED, f"AJ_{n}", ms(n), told={**ABOUT_JOB, keys.JOB_ID: f"AJ_{n}", keys.JOB_TYPE: kind})
        for n, kind in enumerate(types)
    ]


@pytest.mark.parametrize(
    ("types", "answer"),
    [
        (("JT_ROOM",), Outcome.HOLDS),
        (("JT_ROOM", "JT_ROOM"), Outcome.VIOLATED),
        (("JT_PARTICIPANT", "JT_PARTICIPANT"), Outcome.HOLDS),
        (("JT_ROOM", "JT_PUBLISHER"), Outcome.HOLDS),
        (("JT_ROOM", None), Outcome.UNTOLD),
        ((None,), Outcome.HOLDS),
        ((None, None), Outcome.UNTOLD),
    ],
)
def test_a_dispatch_makes_one_job_for_the_room(types: tuple[str | None, ...], answer: Outcome) -> None:
    (verdict,) = judged(*jobs(*types)).judgements[6].verdicts
    assert verdict.answer is answer


def test_an_active_agent_whose_job_nobody_told_of_is_left_open() -> None:
    (verdict,) = judged(moment(Kind.PARTICIPANT_ACTIVE, AGENT, ms(1), told=ABOUT_AGENT)).judgements[7].verdicts
    assert verdict.answer is Outcome.UNTOLD


def test_an_agent_active_before_its_job_is_a_violation() -> None:
    told = [offered(200), moment(Kind.PARTICIPANT_ACTIVE, AGENT, ms(100), told=ABOUT_AGENT)]
    listed = moment(Kind.JOB_OFFERED, JOB, ms(200), told={keys.PARTICIPANT_IDENTITY: "agent-" + JOB})
    assert violated(judged(*told, listed)) == [8]


def closed(witness: str = "webhook") -> Moment:
    return moment(Kind.ROOM_FINISHED, ROOM, ms(9000), witness=witness, told=ABOUT_ROOM)


def there(witness: str) -> Moment:
    return moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(100), witness=witness, told=ABOUT_ADA)


def gone(kind: Kind, witness: str) -> Moment:
    return moment(kind, ADA, ms(8000), witness=witness, told=ABOUT_ADA)


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ([closed(), there("webhook"), gone(Kind.PARTICIPANT_LEFT, "webhook")], Outcome.HOLDS),
        ([closed(), gone(Kind.PARTICIPANT_ABORTED, "webhook")], Outcome.HOLDS),
        # The observer cannot tell one from the other.
        ([closed(), gone(Kind.PARTICIPANT_ABORTED, "webhook"), gone(Kind.PARTICIPANT_LEFT, "observer")], Outcome.HOLDS),
        (
            [closed(), gone(Kind.PARTICIPANT_ABORTED, "webhook"), gone(Kind.PARTICIPANT_LEFT, "webhook")],
            Outcome.VIOLATED,
        ),
        # A lost webhook is no fault of the server's.
        ([closed(), there("webhook")], Outcome.UNTOLD),
        ([closed(), closed("observer"), there("webhook"), there("observer")], Outcome.VIOLATED),
    ],
)
def test_when_a_room_closes_everyone_has_gone_once(told: list[Moment], answer: Outcome) -> None:
    assert judged(*told).judgements[8].verdicts[-1].answer is answer


def test_an_open_room_has_no_end_to_judge() -> None:
    last = judged(there("webhook")).judgements[8]
    assert (last.answer, last.summary) == (Outcome.UNTOLD, "cannot be told: the room is open, or nobody saw it close")


def test_without_an_agents_witness_its_rules_are_left_open() -> None:
    answers = [j.answer for j in judged(*(m for m in call() if m.witness != "agent")).judgements]
    assert Outcome.VIOLATED not in answers
    assert answers[2] is answers[3] is answers[4] is Outcome.UNTOLD


def test_redacted_moments_hide_identities_and_nothing_is_violated() -> None:
    assert not judged(*(m.redacted() for m in call())).violated


@given(any_moments(), st.randoms(use_true_random=False))
def test_any_moments_are_judged_alike_in_any_order(moments: list[Moment], chance: random.Random) -> None:
    other = list(moments)
    chance.shuffle(other)
    first, second = judged(*moments), judged(*other)
    assert [j.summary for j in first.judgements] == [j.summary for j in second.judgements]
    assert [v.sentence for v in first.violated] == [v.sentence for v in second.violated]


@given(st.lists(st.sampled_from(call()), unique=True))
def test_no_part_of_a_true_call_is_a_violation(moments: list[Moment]) -> None:
    assert [v.sentence for v in judged(*moments).violated] == []


def test_text_from_outside_stays_as_it_came() -> None:
    hostile = "\x1b[31m[bold]ada"
    told = [
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(5), told={keys.PARTICIPANT_IDENTITY: hostile}),
        moment(Kind.PARTICIPANT_LEFT, ADA, ms(9)),
    ]
    assert hostile in sentences(judged(*told), 2)[0]


def test_an_agent_that_left_the_room_by_itself_is_in_order() -> None:
    ends = (Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED, Kind.SESSION_CLOSED)
    told = [m for m in call() if m.kind not in ends and (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, AGENT)]
    told += [
        _webhook(Kind.PARTICIPANT_LEFT, AGENT, 4995, {**ABOUT_AGENT, keys.DISCONNECT_REASON: "CLIENT_INITIATED"}),
        _agent(Kind.JOB_SHUTDOWN, 5007, {keys.SHUTDOWN_REASON: "room disconnected"}),
        _agent(Kind.SESSION_CLOSED, 5008, occurrence=SESSION),
        _agent(Kind.AGENT_DISCONNECTED, 5009),
        _agent(Kind.JOB_ENDED, 5010),
    ]
    assert violated(judged(*told)) == []


def test_an_agent_that_connects_at_the_second_try_is_in_order() -> None:
    (connect,) = (span for span in job() if span.name == "room_connect")
    first = type(connect)()
    first.CopyFrom(connect)
    first.span_id = b"12345678"
    first.start_time_unix_nano -= 3_000_000
    first.end_time_unix_nano = connect.start_time_unix_nano - 1_000_000
    first.status.code = first.status.STATUS_CODE_ERROR
    of_participant = (keys.PARTICIPANT_ID, keys.PARTICIPANT_IDENTITY)
    for attribute in [a for a in first.attributes if a.key in of_participant]:
        first.attributes.remove(attribute)
    server = [m for m in call() if m.subject != JOB or m.kind is Kind.JOB_OFFERED]
    checked = judged(*server, *agent.arrival(request(first, *job())).moments)
    assert violated(checked) == []
    [theirs] = checked.timeline.jobs
    assert [step.kind for step in theirs.steps].count(Kind.AGENT_CONNECTING) == 2


def test_who_left_while_no_witness_was_at_work_cannot_be_told() -> None:
    told = [m for m in call() if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, ADA)]
    told.append(_polled(Kind.ROOM_FINISHED, ROOM, 6495, 6505, {}))
    assert violated(judged(*told)) == [9]
    told.append(_cut(Kind.ROOM_CREATED, ROOM, 0, "observer", {**ABOUT_ROOM, keys.ROOM_WATCHED: False}))
    checked = judged(*told)
    assert violated(checked) == []
    assert checked.judgements[8].having(Outcome.UNTOLD)


@pytest.mark.parametrize(
    ("ends", "answer"), [(4160, Outcome.HOLDS), (391, Outcome.VIOLATED), (300, Outcome.VIOLATED)], ids=str
)
def test_a_session_starts_within_itself(ends: float, answer: Outcome) -> None:
    began = min(362, ends - 100)
    whole = moment(
        Kind.SESSION_STARTING, JOB, ms(began), ms(ends), ms(began), witness="agent", clock="agent", occurrence=SESSION
    )
    checked = judged(*call(), whole)
    assert checked.judgements[4].answer is answer
    within = [text for text in sentences(checked, 5) if "within its agent_session" in text]
    assert within == [
        f"session_start of job {JOB} {'lies' if answer is Outcome.HOLDS else 'does not lie'} within its agent_session"
    ]


@pytest.mark.parametrize("missing", [[], [Kind.JOB_ASSIGNED], [Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED]])
def test_an_answer_comes_before_whatever_came_of_it(missing: list[Kind]) -> None:
    told = [m for m in call() if m.kind not in missing]
    assert judged(*told).judgements[2].answer is Outcome.HOLDS
    late = _agent(Kind.JOB_ACCEPTED, 900, ABOUT_JOB, WORKER)
    told = [late if m.kind is Kind.JOB_ACCEPTED else m for m in told]
    assert judged(*told).judgements[2].answer is Outcome.VIOLATED


def test_what_one_clock_told_exactly_is_judged_though_what_lies_between_is_loose() -> None:
    joined = ABOUT_ADA
    told = [
        moment(Kind.ROOM_CREATED, ROOM, ms(0), told=ABOUT_ROOM),
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(8000), told=joined),
        moment(Kind.PARTICIPANT_LEFT, ADA, ms(2000), ms(20_000), ms(9000), told=joined),
        moment(Kind.ROOM_FINISHED, ROOM, ms(3000), told=ABOUT_ROOM),
    ]
    assert 9 in violated(judged(*told))
