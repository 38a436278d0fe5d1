"""Moments to test with: one whole call written by hand, and strategies for calls that never were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.moment import Fact

ROOM = "RM_ev5rQjUVknES"
ADA = "PA_ada"
AGENT = "PA_agent"
MICROPHONE = "TR_microphone"
VOICE = "TR_voice"
DISPATCH = "AD_automatic"
GHOST = "AD_ghost"
JOB = "AJ_i9CF"
WORKER = "AW_cVxA"
SESSION = "5e55105e55105e55"
WAIT = "3a173a173a173a17"

START = 1_763_841_066 * NS_PER_S
"""When the room was created, ns: a whole second, so that the webhooks' seconds are easy to tell."""


def ms(offset: float) -> int:
    """The time this many ms after the room's creation, ns since the epoch."""
    return START + round(offset * NS_PER_MS)


def moment(
    kind: Kind,
    subject: str,
    earliest: int,
    latest: int | None = None,
    time: int | None = None,
    *,
    witness: str = "observer",
    clock: str = "server",
    occurrence: str = "",
    room: str = ROOM,
    told: Mapping[str, Fact | None] | None = None,
) -> Moment:
    """A moment; without a latest it is exact, without a time its latest is the most likely."""
    latest = earliest if latest is None else latest
    time = latest if time is None else time
    return Moment(room, kind, subject, earliest, latest, time, clock, witness, occurrence, facts(told or {}))


def _cut(kind: Kind, subject: str, offset: int, witness: str, told: Mapping[str, Fact | None]) -> Moment:
    """A field that the server cuts off to whole ms."""
    earliest = ms(offset)
    return moment(kind, subject, earliest, earliest + 999_999, earliest + 500_000, witness=witness, told=told)


def _webhook(kind: Kind, subject: str, offset: float, told: Mapping[str, Fact | None]) -> Moment:
    """A webhook's own moment: from the second it was sent in to its arrival."""
    arrival = ms(offset)
    second = arrival // NS_PER_S * NS_PER_S
    return moment(kind, subject, second, arrival, witness="webhook", clock="receiver", told=told)


def _polled(kind: Kind, subject: str, before: float, after: float, told: Mapping[str, Fact | None]) -> Moment:
    """A change between two questions to the API."""
    earliest, latest = ms(before), ms(after)
    return moment(kind, subject, earliest, latest, (earliest + latest) // 2, clock="receiver", told=told)


def _agent(kind: Kind, offset: float, told: Mapping[str, Fact | None] | None = None, occurrence: str = "") -> Moment:
    """A time of the job's, as livekit-agents rounds it."""
    at = ms(offset)
    clock = "server" if kind is Kind.JOB_OFFERED else "agent"
    return moment(kind, JOB, at - 512, at + 512, at, witness="agent", clock=clock, occurrence=occurrence, told=told)


ABOUT_ROOM: dict[str, Fact] = {
    keys.ROOM_NAME: "demo",
    keys.ROOM_EMPTY_TIMEOUT: 300,
    keys.ROOM_DEPARTURE_TIMEOUT: 2,
}
ABOUT_ADA: dict[str, Fact] = {
    keys.PARTICIPANT_IDENTITY: "ada",
    keys.PARTICIPANT_KIND: "STANDARD",
    keys.PARTICIPANT_ATTRIBUTE + "language": "en",
}
ABOUT_AGENT: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: "agent-" + JOB, keys.PARTICIPANT_KIND: "AGENT"}
ABOUT_JOB: dict[str, Fact] = {
    keys.JOB_ID: JOB,
    keys.DISPATCH_ID: DISPATCH,
    keys.AGENT_NAME: "",
    keys.WORKER_ID: WORKER,
}


def call() -> list[Moment]:
    """One call as a real server and agent told it: a caller, an unnamed agent, and a dispatch nobody answered.

    The offsets are those measured on livekit-server v1.13.5 and livekit-agents 1.8.9.
    """
    left: dict[str, Fact] = {keys.DISCONNECT_REASON: "CLIENT_INITIATED"}
    closed: dict[str, Fact] = {keys.DISCONNECT_REASON: "ROOM_CLOSED"}
    microphone: dict[str, Fact] = {keys.PARTICIPANT_ID: ADA, keys.TRACK_SOURCE: "MICROPHONE", keys.TRACK_NAME: "mic"}
    voice: dict[str, Fact] = {keys.PARTICIPANT_ID: AGENT, keys.TRACK_SOURCE: "MICROPHONE", keys.TRACK_NAME: "voice"}
    offered = {**ABOUT_JOB, keys.JOB_STATUS: "JS_RUNNING", keys.PARTICIPANT_IDENTITY: "agent-" + JOB}
    linked: dict[str, Fact] = {keys.PARTICIPANT_ID: ADA, keys.PARTICIPANT_IDENTITY: "ada"}
    itself: dict[str, Fact] = {keys.PARTICIPANT_ID: AGENT, keys.PARTICIPANT_IDENTITY: "agent-" + JOB}
    return [
        _cut(Kind.ROOM_CREATED, ROOM, 0, "webhook", ABOUT_ROOM),
        _cut(Kind.ROOM_CREATED, ROOM, 0, "observer", ABOUT_ROOM),
        moment(Kind.DISPATCH_CREATED, DISPATCH, ms(0.7), told={**ABOUT_ROOM, keys.AGENT_NAME: ""}),
        _cut(Kind.PARTICIPANT_JOINING, ADA, 2, "webhook", ABOUT_ADA),
        _cut(Kind.PARTICIPANT_JOINING, ADA, 2, "observer", ABOUT_ADA),
        _polled(Kind.PARTICIPANT_JOINED, ADA, 2, 16, ABOUT_ADA),
        _webhook(Kind.PARTICIPANT_ACTIVE, ADA, 97, ABOUT_ADA),
        _polled(Kind.PARTICIPANT_ACTIVE, ADA, 90, 104, ABOUT_ADA),
        _webhook(Kind.TRACK_PUBLISHED, MICROPHONE, 110, microphone),
        moment(Kind.JOB_OFFERED, JOB, ms(201), told=offered),
        _agent(Kind.JOB_OFFERED, 201),
        _agent(Kind.JOB_RECEIVED, 201.4, ABOUT_JOB, WORKER),
        _agent(Kind.JOB_ACCEPTED, 202.2, ABOUT_JOB, WORKER),
        _agent(Kind.JOB_ASSIGNED, 202.6, ABOUT_JOB),
        _agent(Kind.JOB_PROCESS_ASSIGNED, 202.6, ABOUT_JOB),
        _agent(Kind.JOB_ENTRYPOINT_STARTED, 207.6, ABOUT_JOB),
        _agent(Kind.AGENT_CONNECTING, 212),
        _cut(Kind.PARTICIPANT_JOINING, AGENT, 256, "webhook", ABOUT_AGENT),
        _webhook(Kind.PARTICIPANT_ACTIVE, AGENT, 351, ABOUT_AGENT),
        _agent(Kind.AGENT_CONNECTED, 357, itself),
        _agent(Kind.AGENT_WAITING_FOR_PARTICIPANT, 360, linked, WAIT),
        _agent(Kind.AGENT_PARTICIPANT_READY, 360.2, linked, WAIT),
        _agent(Kind.SESSION_STARTING, 363, occurrence=SESSION),
        _webhook(Kind.TRACK_PUBLISHED, VOICE, 380, voice),
        _agent(Kind.SESSION_STARTED, 392, occurrence=SESSION),
        _agent(Kind.JOB_ENTRYPOINT_RETURNED, 393),
        moment(Kind.DISPATCH_CREATED, GHOST, ms(1500), told={**ABOUT_ROOM, keys.AGENT_NAME: "ghost"}),
        _webhook(Kind.PARTICIPANT_LEFT, ADA, 4100, {**ABOUT_ADA, **left}),
        _agent(Kind.SESSION_CLOSED, 4160, occurrence=SESSION),
        _webhook(Kind.PARTICIPANT_LEFT, AGENT, 6495, {**ABOUT_AGENT, **closed}),
        _webhook(Kind.ROOM_FINISHED, ROOM, 6500, ABOUT_ROOM),
        _agent(Kind.JOB_SHUTDOWN, 6503, {keys.SHUTDOWN_REASON: "room disconnected"}),
        _agent(Kind.AGENT_DISCONNECTED, 6510),
        _agent(Kind.JOB_ENDED, 6520, {keys.JOB_STATUS: "JS_SUCCESS"}),
    ]


_TRACES = ("trace:one", "trace:two")  # see tracer.timeline.trace_jobs
_SUBJECTS = (ROOM, "RM_other", ADA, AGENT, "PA_third", DISPATCH, GHOST, JOB, "AJ_other", MICROPHONE, WORKER, "", "?")
_IDS = st.sampled_from(
    (ADA, AGENT, DISPATCH, GHOST, JOB, "AJ_other", "AD_unseen", "agent-" + JOB, "", "AGENT", "one", "two")
)
_KEYS = st.sampled_from(
    [keys.AGENT_TRACE] * 3
    + [value for name in keys.__all__ if isinstance(value := getattr(keys, name), str)]
    + [keys.PARTICIPANT_ATTRIBUTE + "language", "", "not ours", "\N{SNOWMAN}"]
)
_VALUES: st.SearchStrategy[Fact] = st.one_of(
    _IDS,
    st.text(max_size=6),
    st.sampled_from(("STANDARD", "JS_FAILED", "JS_SUCCESS", "ROOM_DELETED", "ROOM_END_API_DELETE", "x" * 5000)),
    st.integers(2, 2**62),  # not 0 and 1, which Python takes for False and True
    st.booleans(),
    st.sampled_from((0.5, -2.5, 1e300, float("inf"))),
)
# Near to each other, so that intervals meet and miss; a few at the ends of what a witness lets through.
_TIMES = st.one_of(
    st.integers(0, 40).map(lambda steps: START + steps * 5 * NS_PER_MS),
    st.integers(-512, 5),
    st.integers(2**62 - 5, 2**62),
)


@st.composite
def any_moment(draw: st.DrawFn) -> Moment:
    """Whatever a witness could say, true or not."""
    earliest, time, latest = sorted((draw(_TIMES), draw(_TIMES), draw(_TIMES)))
    return Moment(
        ROOM,
        draw(st.sampled_from(Kind)),
        draw(st.sampled_from(_SUBJECTS + _TRACES)),
        earliest,
        latest,
        time,
        draw(st.sampled_from(("server", "receiver", "agent"))),
        draw(st.sampled_from(("webhook", "observer", "agent"))),
        draw(st.sampled_from(("", "first", "second"))),
        facts(draw(st.dictionaries(_KEYS, _VALUES, max_size=5))),
    )


def any_moments(max_size: int = 30) -> st.SearchStrategy[list[Moment]]:
    """Any set of moments of one room: some at random, some of a true call."""
    return st.lists(st.one_of(any_moment(), st.sampled_from(call())), max_size=max_size, unique=True)


@st.composite
def uncertain_calls(draw: st.DrawFn) -> list[Moment]:
    """The call again, each step told once, in an interval that holds its true time and is as wide as it likes."""
    truth = {(m.kind, m.subject, m.occurrence): m for m in call()}
    told = []
    for true in sorted(truth.values(), key=lambda m: m.time):
        if draw(st.integers(0, 9)) == 0:
            continue  # nobody saw it
        before, after = draw(st.integers(0, 400)), draw(st.integers(0, 400))
        earliest, latest = true.time - before * NS_PER_MS, true.time + after * NS_PER_MS
        time = earliest + draw(st.integers(0, before + after)) * NS_PER_MS
        told.append(
            Moment(
                ROOM,
                true.kind,
                true.subject,
                earliest,
                latest,
                time,
                true.clock,
                true.witness,
                true.occurrence,
                true.facts,
            )
        )
    return draw(st.permutations(told))
