"""A greeting in a task that nobody awaits."""

from __future__ import annotations

import pytest

from tests.moments import JOB, VOICE
from tests.why.cases import Case, check, error, found, of_job, with_facts, without
from tests.why.silent.calls import long_call, speaks
from tracer import keys
from tracer.moment import Kind, Moment


def raised(at: float, *more: Moment, speaks_by: str = "tts") -> list[Moment]:
    """A task of the agent's own raised at a time, ms, in a call with a session that speaks by this."""
    known = {keys.TASK: "greet", **error("KeyError", "'name'")}
    made = with_facts(long_call(), Kind.SESSION_STARTING, JOB, {keys.SPEAKS_BY: speaks_by})
    return [*made, of_job(Kind.AGENT_TASK_RAISED, at, known, "task"), *more]


OWN_TASK = (
    Case(
        "the greeting raised",
        "own-task-raised",
        raised(1000),
        f"A task of job {JOB}'s own (greet) raised KeyError: 'name', and for 33.1 s ada heard nothing of the agent.",
        ((Kind.AGENT_TASK_RAISED, JOB),),
        certain=False,
    ),
)


def without_session(at: float, *more: Moment) -> list[Moment]:
    """A participant's entrypoint raised at a time, ms, before it began a session."""
    known = {keys.TASK: "serve", **error("KeyError", "'customer'")}
    made = [one for one in long_call() if not one.kind.value.startswith("session.") and one.subject != VOICE]
    return [*made, of_job(Kind.AGENT_TASK_RAISED, at, known, "task"), *more]


NO_SESSION = Case(
    "what was to begin the session raised",
    "own-task-raised",
    without_session(1000),
    f"A task of job {JOB}'s own (serve) raised KeyError: 'customer', and for 33.1 s ada heard nothing of the agent.",
    ((Kind.AGENT_TASK_RAISED, JOB),),
    certain=False,
)


@pytest.mark.parametrize("case", [*OWN_TASK, NO_SESSION], ids=lambda case: case.label)
def test_it_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(
    "moments",
    [
        raised(1000, *speaks(20_000)),
        raised(9000, *speaks(2000)),
        raised(1000, speaks_by="nothing"),
        without(raised(1000), Kind.SESSION_AUDIO_PUBLISHED),
        raised(33_000),
    ],
    ids=["it spoke later", "it had spoken", "it has no voice", "its voice is another's", "the caller hung up"],
)
def test_a_task_that_the_caller_did_not_miss_is_none(moments: list[Moment]) -> None:
    assert found(moments) == []
