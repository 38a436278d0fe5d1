"""Calls in which a session's models answer, or do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.moments import ABOUT_ADA, ADA, JOB, SESSION, VOICE, _cut, _webhook, ms
from tests.why.cases import HUNG_UP, Case, error, healthy, moved, of_job, without
from tracer import keys
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Fact, Moment

__all__ = [
    "ADA_AGAIN",
    "CASES",
    "ask",
    "blocked",
    "closed",
    "failure",
    "joins",
    "long_call",
    "reloaded",
    "speaks",
    "stuck",
]

ADA_AGAIN = "PA_ada2"
OFF = error("APIConnectionError", "the model is away")


def long_call() -> list[Moment]:
    """The healthy call, 30 s longer: ada is there until 34.1 s, and then the session closes."""
    return [moved(m, 30_000) if m.time > ms(2000) else m for m in healthy()]


def ask(at: float, answered: float | None = None, given_up: float | None = None) -> list[Moment]:
    """The session asks its LLM, which answers, or is given up, so many ms later; or neither."""
    one = f"ask-{at}"
    made = [of_job(Kind.MODEL_ASKED, at, occurrence=one)]
    if answered is not None:
        made.append(of_job(Kind.MODEL_ANSWERED, at + answered, occurrence=one))
    if given_up is not None:
        made.append(of_job(Kind.MODEL_GAVE_NO_ANSWER, at + given_up, occurrence=one))
    return made


def speaks(at: float) -> list[Moment]:
    """The agent begins to speak."""
    return [of_job(Kind.AGENT_SPEAKING, at, occurrence=f"speech-{at}")]


def failure(at: float, span: str = "llm_node", attributes: dict[str, Fact] | None = None) -> list[Moment]:
    """A span of the session's failed."""
    known: dict[str, Fact] = {**(attributes or OFF), keys.SPAN_NAME: span}
    return [of_job(Kind.MODEL_FAILED, at, known, f"{span}-{at}")]


def blocked(at: float, seconds: float) -> list[Moment]:
    """The event loop stood still."""
    return [of_job(Kind.AGENT_BLOCKED, at, {keys.BLOCKED_FOR: seconds}, f"block-{at}")]


def closed(
    moments: Iterable[Moment], at: float, reason: str, attributes: dict[str, Fact] | None = None
) -> list[Moment]:
    """The same with the session closed at this time, ms, for this reason."""
    known: dict[str, Fact] = {keys.CLOSE_REASON: reason, **(attributes or {})}
    return [*without(moments, Kind.SESSION_CLOSED), of_job(Kind.SESSION_CLOSED, at, known, SESSION)]


def joins(at: float, left: float, sid: str = ADA_AGAIN, identity: str = "ada") -> list[Moment]:
    """Somebody joins at a time, ms, and leaves at another."""
    about: dict[str, Fact] = {**ABOUT_ADA, keys.PARTICIPANT_IDENTITY: identity}
    return [
        _cut(Kind.PARTICIPANT_JOINING, sid, int(at), "webhook", about),
        _webhook(Kind.PARTICIPANT_ACTIVE, sid, at + 100, about),
        _webhook(Kind.PARTICIPANT_LEFT, sid, left, {**about, **HUNG_UP}),
    ]


def reloaded(identity: str = "ada") -> list[Moment]:
    """ada leaves at 4.1 s, the session closes with her, and somebody joins 1 s later and stays for 20 s."""
    kept = [moved(m, 30_000) if m.time > ms(6000) else m for m in healthy()]
    linked: dict[str, Fact] = {keys.LINKED_ID: ADA, keys.LINKED_IDENTITY: "ada"}
    there = [*kept, of_job(Kind.SESSION_LINKED, 380, linked, f"{SESSION}@1")]
    return closed([*there, *joins(5000, 25_000, identity=identity)], 4160, "participant_disconnected")


def stuck() -> list[Moment]:
    """The entrypoint goes no further than to its wait, which returned; it is cancelled when the room closes."""
    session = [Kind.SESSION_STARTING, Kind.SESSION_STARTED, Kind.SESSION_CLOSED, Kind.JOB_ENTRYPOINT_RETURNED]
    return without(long_call(), VOICE, *session)


LLM_DEAD = [*long_call(), *failure(3000), *failure(5000), *failure(7000)]
CASES = (
    Case(
        "the page was reloaded",
        "session-closed",
        reloaded(),
        f"The session of job {JOB} closed when ada left (participant_disconnected); ada came back 0.9 s later and"
        " found a closed session: for 19.9 s ada had an agent in the room",
        ((Kind.SESSION_CLOSED, JOB), (Kind.PARTICIPANT_JOINING, ADA_AGAIN), (Kind.JOB_SHUTDOWN, JOB)),
    ),
    Case(
        "the session closed for it",
        "model-failed",
        closed(LLM_DEAD, 9000, "error", {keys.ERROR_TYPE: "llm_error"}),
        "The agent's LLM failed 3 times (llm_error: APIConnectionError: the model is away), and the session of job"
        f" {JOB} closed for it: for 25.1 s ada had an agent",
        ((Kind.MODEL_FAILED, JOB), (Kind.MODEL_FAILED, JOB), (Kind.SESSION_CLOSED, JOB), (Kind.JOB_SHUTDOWN, JOB)),
    ),
    Case(
        "the last answer failed",
        "model-failed",
        [*long_call(), *ask(2500, 200), *speaks(2800), *ask(20_000), *failure(20_100)],
        "The agent's LLM failed (APIConnectionError: the model is away), and for 14.1 s ada had no answer of job"
        f" {JOB}",
        ((Kind.MODEL_FAILED, JOB),),
    ),
    Case(
        "on_enter raised",
        "on-enter-raised",
        [*long_call(), *failure(400, "on_enter", error("KeyError", "'name'"))],
        f"The on_enter of job {JOB}'s agent raised KeyError: 'name', and for 33.7 s ada heard nothing of it.",
        ((Kind.MODEL_FAILED, JOB),),
    ),
    Case(
        "on_user_turn_completed raised",
        "on-turn-raised",
        [*long_call(), *speaks(500), *failure(20_000, "on_user_turn_completed", error("KeyError", "'customer'"))],
        f"The on_user_turn_completed of job {JOB}'s agent raised KeyError: 'customer', and for 14.1 s ada",
        ((Kind.MODEL_FAILED, JOB),),
    ),
    Case(
        "connected, waited, and no more",
        "no-session",
        stuck(),
        f"The entrypoint of job {JOB} went no further than wait_for_participant(): ada was there for 33.7 s, and it"
        " started no session.",
        ((Kind.PARTICIPANT_ACTIVE, ADA), (Kind.AGENT_PARTICIPANT_READY, JOB), (Kind.JOB_SHUTDOWN, JOB)),
        certain=False,
    ),
    Case(
        "blocked for 5 s",
        "event-loop-blocked",
        [*long_call(), *blocked(3000, 5.0)],
        f"The event loop of job {JOB} was blocked for 5.0 s (once) while ada was there.",
        ((Kind.AGENT_BLOCKED, JOB),),
    ),
    Case(
        "asked once, and ada waited",
        "model-silent",
        [*long_call(), *ask(10_000, given_up=24_150)],
        f"The LLM of job {JOB} was asked once, and gave no answer for at least 24.1 s, while ada waited.",
        ((Kind.MODEL_ASKED, JOB), (Kind.MODEL_GAVE_NO_ANSWER, JOB)),
    ),
    Case(
        "interrupted again and again",
        "model-silent",
        [*long_call(), *(m for at in range(10_000, 30_000, 2000) for m in ask(at, given_up=1500))],
        f"The LLM of job {JOB} was asked 10 times, and gave no answer for at least 19.5 s, while ada waited (each try"
        " was given up, the longest after 1.5 s).",
        (
            (Kind.MODEL_ASKED, JOB),
            (Kind.MODEL_GAVE_NO_ANSWER, JOB),
            (Kind.MODEL_ASKED, JOB),
            (Kind.MODEL_GAVE_NO_ANSWER, JOB),
        ),
        certain=False,
    ),
)
"""Each as its witnesses report it, with what is to be said of it."""
