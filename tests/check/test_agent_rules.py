from __future__ import annotations

from dataclasses import replace

import pytest

from tests.check.judging import judged, violated
from tests.clocks.test_offsets import connected, joining, offered
from tests.moments import (
    ABOUT_AGENT,
    ABOUT_JOB,
    AGENT,
    JOB,
    ROOM,
    moment,
    ms,
)
from tracer import keys
from tracer.check import Outcome, check
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold


@pytest.mark.parametrize(
    ("given_identity", "answer"),
    [("agent-" + JOB, Outcome.HOLDS), ("somebody", Outcome.VIOLATED), (None, Outcome.INCONCLUSIVE)],
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
    assert verdict.sentence == f"agent-{JOB} was sent by job {JOB}, which belongs to room {ROOM}"
    (verdict,) = check(here).judgements[5].verdicts
    assert verdict.answer is Outcome.INCONCLUSIVE


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
        (("JT_ROOM", None), Outcome.INCONCLUSIVE),
        ((None,), Outcome.HOLDS),
        ((None, None), Outcome.INCONCLUSIVE),
    ],
)
def test_a_dispatch_makes_one_job_for_the_room(types: tuple[str | None, ...], answer: Outcome) -> None:
    (verdict,) = judged(*jobs(*types)).judgements[6].verdicts
    assert verdict.answer is answer


def test_an_active_agent_whose_job_was_not_reported_is_inconclusive() -> None:
    (verdict,) = judged(moment(Kind.PARTICIPANT_ACTIVE, AGENT, ms(1), told=ABOUT_AGENT)).judgements[7].verdicts
    assert verdict.answer is Outcome.INCONCLUSIVE


def test_an_agent_active_before_its_job_is_a_violation() -> None:
    moments = [offered(200), moment(Kind.PARTICIPANT_ACTIVE, AGENT, ms(100), told=ABOUT_AGENT)]
    listed = moment(Kind.JOB_OFFERED, JOB, ms(200), told={keys.PARTICIPANT_IDENTITY: "agent-" + JOB})
    assert violated(judged(*moments, listed)) == [8]
