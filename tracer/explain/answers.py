"""What commands answer of a room, a rule, a job, a gap or a setup: values for programs, and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.check import Outcome
from tracer.explain.entry import Entry, Group
from tracer.latency.summary import Counted
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["answers"]


def answers() -> Iterator[Entry]:
    """Every answer, by command."""
    yield from _WHY
    for symptom in Symptom:
        yield Entry(
            word=symptom.value,
            group=Group.ANSWER,
            title=symptom.label,
            meaning=_OF_SYMPTOMS[symptom],
            known_from="The symptom of a cause that `tracer why` names.",
            aliases=(symptom.label,),
        )
    for outcome, (title, meaning) in _OF_RULES.items():
        yield Entry(
            word=outcome.value,
            group=Group.ANSWER,
            title=title,
            meaning=meaning,
            known_from="The answer of `tracer check`, for a rule and for each of its details.",
            aliases=tuple({outcome.label(1): None, outcome.label(2): None}),
        )
    for counted, meaning in _COUNTED.items():
        yield Entry(
            word=counted.value,
            group=Group.ANSWER,
            title=f"a room or a job counts as {counted.label}",
            meaning=meaning,
            known_from="How a room or a job counts in the figures of `tracer stats` and `tracer compare`.",
            aliases=(counted.label,),
        )
    yield from _OTHERS
    for name, title, meaning in _OF_SETUPS:
        yield Entry(
            word=name, group=Group.ANSWER, title=title, meaning=meaning, known_from="A line of `tracer doctor`."
        )


_WHY = (
    Entry(
        word="all went well",
        group=Group.ANSWER,
        title="nothing is wrong, and nothing is unknown",
        meaning=(
            "Everything that makes a call well was recorded: the agent came, was ready for its caller, heard and"
            " answered."
        ),
        mistake="Where a witness is missing it is `?`: that nothing wrong was seen does not mean that all was well.",
        aliases=("well", "all is well so far", "all is well"),
        related=("not ruled out",),
    ),
    Entry(
        word="likely",
        group=Group.ANSWER,
        title="a cause that fits, and is not proven",
        meaning="What was recorded fits this cause, and another one is not excluded.",
        advice="Look at its evidence, and at what is not ruled out.",
        aliases=("likely, not proven", "certain"),
        related=("evidence", "not ruled out"),
    ),
    Entry(
        word="evidence",
        group=Group.ANSWER,
        title="the moments that show a cause",
        meaning="The moments from which a cause follows, each with who reported it.",
        related=("moment", "witness"),
    ),
    Entry(
        word="not ruled out",
        group=Group.ANSWER,
        title="a cause that may be there too",
        meaning="What would show this cause was not recorded, so it is neither found nor excluded.",
        advice="The line says what to look at to find out.",
        aliases=("doubt",),
        related=("likely",),
    ),
    Entry(
        word="none found",
        group=Group.ANSWER,
        title="something went wrong, without a cause",
        meaning="What was recorded shows that the call did not go well, and explains nothing.",
        advice="`tracer why` says what the call lacked, and what is not ruled out.",
        related=("not ruled out",),
    ),
)

_OF_SYMPTOMS = {
    Symptom.MISSING: "A caller was there, and no agent came.",
    Symptom.DISCONNECTED: "Somebody was in the room, and was taken from it or lost it before the call was over.",
    Symptom.SILENT: "The agent is in the room, and the caller gets no answer from it.",
    Symptom.DUPLICATED: "There are two agents where one was wanted, or another agent than the one that was.",
    Symptom.LATE: "The agent came or answered, and the caller waited longer for it than a caller should.",
    Symptom.UNRECORDED: "Not the call failed, but its record: webhooks were lost, or nobody observed.",
}
_OF_RULES = {
    Outcome.HOLDS: ("the order is as LiveKit guarantees", "What was recorded is in the order that LiveKit guarantees."),
    Outcome.VIOLATED: (
        "the order is not as LiveKit guarantees",
        "What was recorded cannot be in the order that LiveKit guarantees, however inexact its times are.",
    ),
    Outcome.INCONCLUSIVE: (
        "neither can be said",
        "It was not observed, or its times are too inexact to say which was first.",
    ),
}
_COUNTED = {
    Counted.MEASURED: "It is over, and its agent reported how it became ready: its gaps are in the figures.",
    Counted.CLOCK_SKEW: (
        "It was measured, but for the time between two clocks that are proven to be apart: that is in no figure."
    ),
    Counted.NOT_READY: "Its agent reported how it began, and did not get as far as being ready.",
    Counted.NOT_REPORTED: "An agent came, and reported nothing: its gaps are not known.",
    Counted.NO_AGENT: "No agent came.",
    Counted.OPEN: "It has not ended, or its end was not seen: nothing of it is in the figures.",
    Counted.UNREADABLE: "What is kept of it is damaged.",
}
_OTHERS = (
    Entry(
        word="absent",
        group=Group.ANSWER,
        title="there is no such gap",
        meaning="The way to a ready agent is known, and has no such gap: it took no time.",
        known_from="`tracer compare --format json`.",
        related=("measured",),
    ),
    Entry(
        word="clock skew",
        group=Group.ANSWER,
        title="two clocks are proven to be apart",
        meaning=(
            "Times of two machines are in an order that cannot be, so one of their clocks is off by at least so much."
        ),
        mistake="Without proof none is claimed; times are corrected by what is proven, and no further.",
        advice="Synchronize the clocks of both machines with NTP.",
        aliases=("skew", "offset of a clock"),
        related=("clocks", "clock", "clock_skew"),
    ),
    Entry(
        word="missing since",
        group=Group.ANSWER,
        title="what should have come, and has not",
        meaning="A moment that follows as a rule, and for how long it is missing; lost, where it cannot come any more.",
        known_from="The rows at the end of `tracer timeline --follow`, and the list of an assistant.",
        aliases=("overdue", "lost"),
    ),
    Entry(
        word="created_by",
        group=Group.ANSWER,
        title="what made a room",
        meaning="A participant's join, or an API call: CreateRoom, CreateDispatch, or what SIP and ingress call.",
        known_from="The head of `tracer timeline`; without it, it is not known.",
        aliases=("created by", "a participant's join", "an API call", "api"),
        related=("room.created",),
    ),
    Entry(
        word="budget",
        group=Group.ANSWER,
        title="where the time until the agent was ready went",
        meaning="The gaps from what first asked for an agent to its being ready, each with its owner; they add up.",
        known_from="Below the moments of `tracer timeline`.",
        aliases=("gap", "agent ready after"),
        related=("owner", "first cause → agent ready", "caller ACTIVE → agent ready"),
    ),
)
_OF_SETUPS = (
    (
        "module",
        "no other module is named tracer",
        "A file or folder `tracer` hides this package from your agent.",
    ),
    ("server", "the LiveKit server answers", "LiveKit at LIVEKIT_URL answers, and accepts the key and the secret."),
    ("receiver", "tracer serve answers", "`tracer serve` at TRACER_ENDPOINT answers, or `tracer observe` records."),
    ("webhooks", "the server's webhooks arrive", "The webhook of a room that was just created reached the receiver."),
    (
        "workers",
        "workers answer",
        "A worker took the job for each agent that the doctor requested.",
    ),
    (
        "backend",
        "the OpenTelemetry backend takes spans",
        "Jaeger, or another backend at OTEL_EXPORTER_OTLP_ENDPOINT, accepted a span, and Jaeger returned it.",
    ),
    ("protocol", "what LiveKit sends is known", "The server sent something that this version of tracer does not know."),
    ("ok", "it works", "This was tried, and it works."),
    (
        "warning",
        "it works, but perhaps not as intended",
        "It works; the sentence says what may be wrong.",
    ),
    ("failed", "it does not work", "It was tried, and does not work; what is behind the arrow mends it."),
    ("skipped", "not checked", "It was not tried, or cannot be told; the sentence says why."),
)
"""Checks of `tracer doctor` and their results; a test holds them to its own names."""
