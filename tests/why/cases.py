"""Calls that went wrong, each as its witnesses tell it, with what is to be said of it.

Built from the call that was measured on a real server (``tests.moments.call``): what happened later is moved by as much
as something took longer, and what did not happen is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from tests.moments import (
    ABOUT_ADA,
    ABOUT_AGENT,
    ABOUT_JOB,
    ABOUT_ROOM,
    ADA,
    AGENT,
    DISPATCH,
    GHOST,
    JOB,
    MICROPHONE,
    ROOM,
    SESSION,
    WAIT,
    WORKER,
    _agent,
    _cut,
    _polled,
    _webhook,
    call,
    moment,
    ms,
)
from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracer.moment import Fact
    from tracer.timeline.timeline import Timeline
    from tracer.why import Explanation, Finding

HOUR = 3600 * NS_PER_S
LEFT = 12_000
"""When the caller leaves for whom nobody came, ms."""
CLOSED = 14_400
"""When that room closes, ms."""
BOB = "PA_bob"
BOBS = "TR_bob"
OTHER = "AW_other"
HELPER = "AW_helper"
NAMED = "AD_named"
SECOND = "AJ_second"
SECOND_AGENT = "PA_second"
BEFORE, AFTER = "RM_before", "RM_after"

ABOUT_BOB: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: "bob", keys.PARTICIPANT_KIND: "STANDARD"}
HUNG_UP: dict[str, Fact] = {keys.DISCONNECT_REASON: "CLIENT_INITIATED"}
WATCHED: dict[str, Fact] = {**ABOUT_ROOM, keys.ROOM_WATCHED: True}


@dataclass(frozen=True)
class Case:
    """A call: what was recorded of it, and what is to be made of that."""

    label: str
    cause: str
    """Name of the cause to be found first; empty where none is to be found."""
    moments: list[Moment]
    sentence: str
    """Part of the sentence, with the numbers that were measured."""
    evidence: tuple[tuple[Kind, str], ...]
    workers: list[Moment] = field(default_factory=list)
    now: int = ms(60_000)
    certain: bool = True
    earlier: list[Moment] | None = None
    later: list[Moment] | None = None
    beside: frozenset[str] = frozenset()
    """Other causes that are true of it too, each with its reason where the case is made."""

    @cached_property
    def timeline(self) -> Timeline:
        return timeline(self.moments, self.workers, now=self.now, earlier=self.earlier, later=self.later)

    @cached_property
    def explanation(self) -> Explanation:
        return explain(self.timeline)


def timeline(
    moments: Iterable[Moment],
    workers: Iterable[Moment] = (),
    *,
    now: int = ms(60_000),
    earlier: Iterable[Moment] | None = None,
    later: Iterable[Moment] | None = None,
) -> Timeline:
    """A room's timeline with its neighbours."""
    made = fold(ROOM, moments, workers=workers, now=now)
    return replace(
        made,
        earlier=None if earlier is None else fold(BEFORE, earlier, now=now),
        later=None if later is None else fold(AFTER, later, now=now),
    )


def found(moments: Iterable[Moment], workers: Iterable[Moment] = (), *, now: int = ms(60_000)) -> list[str]:
    """Names of the causes that are found."""
    return names(explain(timeline(moments, workers, now=now)))


def names(explanation: Explanation) -> list[str]:
    """Names of its causes."""
    return [finding.cause.name for finding in explanation.findings]


def doubted(explanation: Explanation) -> dict[str, str]:
    """What is not ruled out, and how to find out."""
    return {doubt.cause.name: doubt.how for doubt in explanation.doubts}


def shape(finding: Finding) -> tuple[tuple[Kind, str], ...]:
    """What the evidence is."""
    return tuple((step.kind, step.subject) for step in finding.evidence)


def check(case: Case) -> None:
    """The case's own cause is found first, with its evidence, its numbers, and as sure as it is."""
    explanation = case.explanation
    assert names(explanation)[:1] == [case.cause], explanation.summary
    first = explanation.findings[0]
    assert case.sentence in first.sentence
    assert shape(first) == case.evidence
    assert first.certain is case.certain
    assert explanation.well is False


# What moments are made of.


def healthy() -> list[Moment]:
    """The call as it was measured, without the dispatch that nobody answered, and with what its session reported."""
    made = [*(recorded for recorded in call() if recorded.subject != GHOST), *heard()]
    return with_facts(made, Kind.SESSION_STARTING, JOB, {keys.JOB_ID: JOB})


def heard(at: float = 364) -> list[Moment]:
    """What livekit-agents' spans report of a session that hears ada and is heard, from so many ms on."""
    ada: dict[str, Fact | None] = {keys.LINKED_ID: ADA, keys.LINKED_IDENTITY: "ada"}
    who: dict[str, Fact | None] = {keys.LINKED_IDENTITY: "ada"}
    return [
        replace(of_job(Kind.SESSION_LINKED, at, occurrence=f"{SESSION}@{at}"), facts=facts(ada)),
        replace(of_job(Kind.SESSION_WAITING_FOR_AUDIO, at + 0.5, occurrence="audio"), facts=facts(who)),
        replace(of_job(Kind.SESSION_AUDIO_RECEIVED, at + 10, occurrence="audio"), facts=facts(who)),
        of_job(Kind.SESSION_AUDIO_PUBLISHED, at + 8, occurrence="voice"),
    ]


def without(moments: Iterable[Moment], *what: Kind | str) -> list[Moment]:
    """Without moments of these kinds, subjects or witnesses."""
    return [recorded for recorded in moments if not {recorded.kind, recorded.subject, recorded.witness} & set(what)]


def until(kind: Kind) -> list[Moment]:
    """What the job reported up to this step, and the server's offer."""
    end = next(recorded.time for recorded in call() if recorded.kind is kind and recorded.subject == JOB)
    return [recorded for recorded in call() if recorded.subject == JOB and recorded.time <= end]


def delayed(moments: Iterable[Moment], since: Kind, by: float) -> list[Moment]:
    """Everything from this step of the job on, so many ms later; of steps at the same time, those of later kinds."""
    recorded = list(moments)
    start = min((m.time, m.kind.rank) for m in recorded if m.kind is since and m.subject == JOB)
    return [moved(m, by) if (m.time, m.kind.rank) >= start else m for m in recorded]


def asked_again(by: float) -> list[Moment]:
    """A call for which 'helper' was asked for in vain, and so many ms later again."""
    recorded = delayed([m for m in healthy() if m.subject != DISPATCH], Kind.JOB_OFFERED, by)
    recorded = [
        replace(m, facts=tuple((k, "helper" if k == keys.AGENT_NAME else v) for k, v in m.facts)) for m in recorded
    ]
    ends = {Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED, Kind.SESSION_CLOSED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED}
    recorded = [moved(m, 12_000) if m.kind in {*ends, Kind.JOB_ENDED} else m for m in recorded]
    asked = (("AD_first", 0.7), (DISPATCH, by))
    return [
        *recorded,
        *(moment(Kind.DISPATCH_CREATED, sid, ms(at), told={keys.AGENT_NAME: "helper"}) for sid, at in asked),
    ]


def moved(recorded: Moment, by: float) -> Moment:
    """The same, so many ms later."""
    ns = round(by * 1_000_000)
    return replace(recorded, earliest=recorded.earliest + ns, latest=recorded.latest + ns, time=recorded.time + ns)


def off(moments: Iterable[Moment], by: int) -> list[Moment]:
    """The same with the agents' clocks ahead by so many ns."""
    return [moved(recorded, by / 1_000_000) if recorded.clock == "agent" else recorded for recorded in moments]


def with_facts(
    moments: Iterable[Moment], kind: Kind, subject: str, attributes: Mapping[str, Fact | None]
) -> list[Moment]:
    """The same, with more attributes on this step."""
    return [
        replace(m, facts=facts({**dict(m.facts), **attributes})) if (m.kind, m.subject) == (kind, subject) else m
        for m in moments
    ]


def in_room(room: str, moments: Iterable[Moment]) -> list[Moment]:
    """The same moments of another room; what is about the room is then about that one."""
    return [
        replace(recorded, room=room, subject=room if recorded.subject == ROOM else recorded.subject)
        for recorded in moments
    ]


def worker(
    kind: Kind, at: float, sid: str = WORKER, name: str = "", attributes: Mapping[str, Fact] | None = None
) -> Moment:
    """What a worker reports of itself."""
    known: dict[str, Fact] = {keys.AGENT_NAME: name, keys.WORKER_ID: sid, keys.WORKER_HOST: "host-of-" + sid}
    at_ns = ms(at)
    return moment(
        kind,
        sid,
        at_ns - 512,
        at_ns + 512,
        at_ns,
        witness="agent",
        clock="agent",
        occurrence=str(at) if kind in (Kind.WORKER_FULL, Kind.WORKER_AVAILABLE) else "",
        room="",
        told={**known, **(attributes or {})},
    )


def registered(at: float = -30_000, sid: str = WORKER, name: str = "") -> list[Moment]:
    """A worker that registered, and said nothing else."""
    return [worker(Kind.WORKER_REGISTERED, at, sid, name)]


def again(at: float, sid: str = OTHER, before: str = WORKER) -> list[Moment]:
    """A worker that registered again after it had lost its connection."""
    return [worker(Kind.WORKER_REGISTERED, at, sid, attributes={keys.WORKER_PREVIOUS_ID: before})]


def load(value: float, at: float, sid: str = WORKER) -> list[Moment]:
    """A worker's report of its load."""
    reported = worker(Kind.WORKER_LOAD, at, sid, attributes={keys.WORKER_LOAD: value, keys.WORKER_JOBS: 0})
    return [replace(reported, occurrence=str(at))]


def asked_elsewhere(at: float, sid: str = WORKER) -> list[Moment]:
    """A worker that was offered a job of another room."""
    return [replace(worker(Kind.WORKER_OFFERED, at, sid), occurrence=f"AJ_elsewhere_{at}")]


def reserved(jobs: int, coming: int, total: float = 0.75) -> dict[str, Fact]:
    """What a worker reports that is full: its jobs, those on their way, and the load that they come to."""
    return {keys.WORKER_LOAD: total, keys.WORKER_JOBS: jobs, keys.WORKER_RESERVED: coming}


def frozen(late: float) -> list[Moment]:
    """A job whose worker receives it so many ms late, accepts it, and waits for its assignment in vain."""
    return [
        _agent(Kind.JOB_OFFERED, 201),
        _agent(Kind.JOB_RECEIVED, 201 + late, ABOUT_JOB, WORKER),
        _agent(Kind.JOB_ACCEPTED, 202 + late, ABOUT_JOB, WORKER),
        _agent(Kind.JOB_TIMED_OUT, 202 + late + 7500, None, WORKER),
    ]


def lonely(agent_name: str = "", joined: float = 0) -> list[Moment]:
    """A room with one caller for whom nobody came; they ``joined`` so many ms after it was made."""
    ada = [
        _cut(Kind.PARTICIPANT_JOINING, ADA, 2, "webhook", ABOUT_ADA),
        _cut(Kind.PARTICIPANT_JOINING, ADA, 2, "observer", ABOUT_ADA),
        _polled(Kind.PARTICIPANT_JOINED, ADA, 2, 16, ABOUT_ADA),
        _webhook(Kind.PARTICIPANT_ACTIVE, ADA, 97, ABOUT_ADA),
        _webhook(Kind.TRACK_PUBLISHED, MICROPHONE, 110, {keys.PARTICIPANT_ID: ADA, keys.TRACK_SOURCE: "MICROPHONE"}),
    ]
    return [
        _cut(Kind.ROOM_CREATED, ROOM, 0, "webhook", ABOUT_ROOM),
        _cut(Kind.ROOM_CREATED, ROOM, 0, "observer", WATCHED),
        moment(Kind.DISPATCH_CREATED, DISPATCH, ms(0.7), told={**ABOUT_ROOM, keys.AGENT_NAME: agent_name}),
        *(moved(recorded, joined) for recorded in ada),
        _webhook(Kind.PARTICIPANT_LEFT, ADA, LEFT, {**ABOUT_ADA, **HUNG_UP}),
        _webhook(Kind.ROOM_FINISHED, ROOM, CLOSED, ABOUT_ROOM),
    ]


def offered(status: str = "JS_PENDING", ended: float | None = None) -> list[Moment]:
    """A job as the API lists it."""
    recorded: dict[str, Fact] = {**ABOUT_JOB, keys.JOB_STATUS: status}
    made = [moment(Kind.JOB_OFFERED, JOB, ms(201), told=recorded)]
    return made if ended is None else [*made, moment(Kind.JOB_ENDED, JOB, ms(201), ms(ended), told=recorded)]


def refused(answer: str, at: float = 203, attributes: Mapping[str, Fact] | None = None) -> list[Moment]:
    """A job that the worker was asked for and refused."""
    more: dict[str, Fact] = {keys.JOB_ANSWER: answer, keys.JOB_TERMINATED: True, **(attributes or {})}
    return [
        *offered("JS_SUCCESS", at + 0.3),
        _agent(Kind.JOB_OFFERED, 201),
        _agent(Kind.JOB_RECEIVED, 201.4, ABOUT_JOB, WORKER),
        _agent(Kind.JOB_REJECTED, at, more, WORKER),
    ]


def of_job(kind: Kind, at: float, attributes: Mapping[str, Fact] | None = None, occurrence: str = "") -> Moment:
    """A step that the job reports."""
    return _agent(kind, at, attributes, occurrence)


def error(name: str, text: str) -> dict[str, Fact]:
    """The attributes of a failure."""
    return {keys.ERROR_TYPE: name, keys.ERROR_MESSAGE: text}


def bob(joined: float, left: float, sid: str = BOB, attributes: Mapping[str, Fact] | None = None) -> list[Moment]:
    """Another caller, who publishes nothing."""
    about = {**ABOUT_BOB, **(attributes or {})}
    return [
        _cut(Kind.PARTICIPANT_JOINING, sid, int(joined), "webhook", about),
        _webhook(Kind.PARTICIPANT_ACTIVE, sid, joined + 95, about),
        _webhook(Kind.PARTICIPANT_LEFT, sid, left, {**about, **HUNG_UP}),
    ]


def second_agent(dispatch: str, name: str, at: float = 700, worker_id: str = HELPER) -> list[Moment]:
    """Another agent, of another dispatch, as the API and webhooks show it."""
    about: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: "agent-" + SECOND, keys.PARTICIPANT_KIND: "AGENT"}
    recorded: dict[str, Fact] = {
        keys.JOB_ID: SECOND,
        keys.DISPATCH_ID: dispatch,
        keys.AGENT_NAME: name,
        keys.WORKER_ID: worker_id,
        keys.PARTICIPANT_IDENTITY: "agent-" + SECOND,
        keys.JOB_TYPE: "JT_ROOM",
    }
    return [
        moment(Kind.DISPATCH_CREATED, dispatch, ms(at - 200), told={**ABOUT_ROOM, keys.AGENT_NAME: name}),
        moment(Kind.JOB_OFFERED, SECOND, ms(at), told=recorded),
        _cut(Kind.PARTICIPANT_JOINING, SECOND_AGENT, int(at) + 50, "webhook", about),
        _webhook(Kind.PARTICIPANT_ACTIVE, SECOND_AGENT, at + 150, about),
        _webhook(Kind.PARTICIPANT_LEFT, SECOND_AGENT, 6496, {**about, keys.DISCONNECT_REASON: "ROOM_CLOSED"}),
    ]


def agent_goes(at: float, reason: str = "CLIENT_INITIATED") -> list[Moment]:
    """The healthy call in which the agent leaves at this time, ms, before the caller does."""
    gone = {**ABOUT_AGENT, keys.DISCONNECT_REASON: reason}
    kept = [m for m in healthy() if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, AGENT)]
    return [*kept, _webhook(Kind.PARTICIPANT_LEFT, AGENT, at, gone)]


def ended_early(at: float, reason: str, recorded: Mapping[str, Fact] | None = None) -> list[Moment]:
    """The healthy call whose job shuts down at this time, ms, and the agent with it; the room goes on."""
    kept = without(agent_goes(at + 10), Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED, Kind.SESSION_CLOSED)
    return [
        *kept,
        of_job(Kind.JOB_SHUTDOWN, at, {keys.SHUTDOWN_REASON: reason}),
        of_job(Kind.SESSION_CLOSED, at + 5, occurrence=SESSION),
        of_job(Kind.AGENT_DISCONNECTED, at + 9),
        of_job(Kind.JOB_ENDED, at + 20, {keys.JOB_STATUS: "JS_SUCCESS", **(recorded or {})}),
    ]


def deletes_the_room() -> list[Moment]:
    """The call in which the agent connects bob, who talks too, ends, and deletes the room."""
    recorded = [m for m in ended_early(4000, "Session ended") if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, AGENT)]
    recorded += [_webhook(Kind.PARTICIPANT_LEFT, AGENT, 4101, ABOUT_AGENT), *bob(1000, 4102)]
    recorded.append(_webhook(Kind.TRACK_PUBLISHED, BOBS, 1200, {keys.PARTICIPANT_ID: BOB}))
    for sid in (ADA, AGENT, BOB):
        recorded = with_facts(recorded, Kind.PARTICIPANT_LEFT, sid, {keys.DISCONNECT_REASON: "ROOM_DELETED"})
    return [moved(m, -2395) if m.kind is Kind.ROOM_FINISHED else m for m in recorded]


def leaves_its_caller(stays: float) -> list[Moment]:
    """The call whose agent shuts down its job at 2.5 s; the caller leaves so many ms later than 4.1 s."""
    last = (ADA, ROOM, MICROPHONE)
    recorded = ended_early(2500, "I am done")
    return [moved(m, stays) if m.subject in last and m.time > ms(3000) else m for m in recorded]


def dispatch_deleted(*, closed: float = 2600, left: float = 2700, reason: str = "CLIENT_INITIATED") -> list[Moment]:
    """The worker ends the job at 2.5 s, and goes on; the session closes and the agent leaves at these times, ms."""
    made = with_facts(
        leaves_its_caller(20_000), Kind.JOB_SHUTDOWN, JOB, {keys.SHUTDOWN_REASON: "parent process shutdown"}
    )
    ends = (Kind.SESSION_CLOSED, Kind.JOB_ENDED)
    made = [m for m in made if m.kind not in ends and (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, AGENT)]
    about: dict[str, Fact] = {**ABOUT_AGENT, keys.DISCONNECT_REASON: reason}
    return [
        *made,
        of_job(Kind.SESSION_CLOSED, closed, occurrence=SESSION),
        of_job(Kind.JOB_ENDED, max(closed, left) + 10),
        _webhook(Kind.PARTICIPANT_LEFT, AGENT, left, about),
    ]


def never_active(gone: Moment | None) -> list[Moment]:
    """A caller who joined and whose media never came up, and an agent that waits."""
    kept = [
        m
        for m in healthy()
        if not (m.subject == ADA and m.kind in (Kind.PARTICIPANT_ACTIVE, Kind.PARTICIPANT_LEFT))
        and m.time < ms(361)
        and m.kind is not Kind.AGENT_PARTICIPANT_READY
        and m.subject != MICROPHONE
    ]
    return [*kept, gone] if gone else kept


def waits_for_silent(batch: float = 1900) -> list[Moment]:
    """An agent that waits from 0.36 s on for a caller who joins at 2 s, publishes nothing, and is announced later."""
    ready = 2097 + batch
    ada = [m for m in healthy() if m.subject == ADA]
    rest = [m for m in without(healthy(), ADA, MICROPHONE) if m.time < ms(360.1)]
    after = [m for m in without(healthy(), ADA, MICROPHONE) if m.time >= ms(360.1)]
    return [*rest, *(moved(m, 2000) for m in ada), *(moved(m, ready - 360.2) for m in after)]


def linked(sid: str, name: str) -> dict[str, Fact]:
    """To whom a session listens."""
    return {keys.LINKED_ID: sid, keys.LINKED_IDENTITY: name}


def monitored(bob_publishes: bool = False, linked_to: str = BOB) -> list[Moment]:
    """The call, and in it bob from before it on, whom the session listens to."""
    unlinked = [m for m in healthy() if m not in heard()]
    recorded = with_facts(unlinked, Kind.SESSION_STARTING, JOB, linked(linked_to, "bob"))
    recorded += bob(1, 4150)
    if bob_publishes:
        recorded.append(_webhook(Kind.TRACK_PUBLISHED, BOBS, 120, {keys.PARTICIPANT_ID: BOB}))
    return recorded


ALLOWED = {keys.CAN_PUBLISH: True, keys.CAN_SUBSCRIBE: True, keys.HIDDEN: False}
"""What ListParticipants shows of a participant whose token is that of any other."""


def observed(moments: Iterable[Moment]) -> list[Moment]:
    """The same without webhooks: changes are seen by the API only, and once nothing changes seconds late."""
    seen = []
    for recorded in without(moments, Kind.TRACK_PUBLISHED, Kind.TRACK_UNPUBLISHED):
        if recorded.witness != "webhook":
            seen.append(recorded)
        elif recorded.clock == "receiver":
            early, late = (recorded.latest - 7_000_000, recorded.latest + 7_000_000)
            if recorded.kind in (Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED):
                early, late = recorded.latest - 100_000_000, recorded.latest + 4_900_000_000
            told = facts({**dict(recorded.facts), **ALLOWED}) if recorded.subject.startswith("PA_") else recorded.facts
            between = replace(recorded, earliest=early, latest=late, time=(early + late) // 2, facts=told)
            seen.append(replace(between, witness="observer"))
        else:
            seen.append(replace(recorded, witness="observer"))
    return seen


def calls_again(at: float, identity: str = "ada", reason: str = "CONNECTION_TIMEOUT") -> Case:
    """The healthy call, and the room of the same name that its caller makes later."""
    dropped = with_facts(healthy(), Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: reason})
    back = [m for m in lonely(joined=0) if m.kind in (Kind.ROOM_CREATED, Kind.PARTICIPANT_JOINING)]
    back = with_facts(back, Kind.PARTICIPANT_JOINING, ADA, {keys.PARTICIPANT_IDENTITY: identity})
    return Case(
        f"calls again after {at} ms, having left by {reason}",
        "caller-away",
        dropped,
        f"ada lost the connection and was away for at least {(at - 4100) // 100 / 10:.1f} s (the server can",
        ((Kind.PARTICIPANT_LEFT, ADA), (Kind.ROOM_FINISHED, ROOM), (Kind.PARTICIPANT_JOINING, ADA)),
        later=in_room(AFTER, [moved(m, at) for m in back]),
        now=ms(700_000),
    )


ASKED = (Kind.DISPATCH_CREATED, DISPATCH)
REGISTERED = (Kind.WORKER_REGISTERED, WORKER)
OFFERED, RECEIVED = (Kind.JOB_OFFERED, JOB), (Kind.JOB_RECEIVED, JOB)
REJECTED = (Kind.JOB_REJECTED, JOB)
STARTED, ENDED = (Kind.JOB_ENTRYPOINT_STARTED, JOB), (Kind.JOB_ENDED, JOB)
CONNECTING, CONNECTED = (Kind.AGENT_CONNECTING, JOB), (Kind.AGENT_CONNECTED, JOB)
FINISHED = (Kind.ROOM_FINISHED, ROOM)

LOST = of_job(Kind.JOB_TIMED_OUT, 11_700, occurrence=WORKER)
NO_PROCESS = of_job(Kind.PROCESS_FAILED, 4000, error("RuntimeError", "no process became available"))
NOT_UP = worker(Kind.PROCESS_FAILED, 900, attributes=error("ImportError", "no module named 'torch'"))
UNREACHED = error("ConnectError", "wait_pc_connection timed out")
MISSING = (
    Case(
        "no worker reported itself",
        "no-worker",
        lonely("helper"),
        "The dispatch for agent 'helper' has no job, and no worker has reported anything: none ran, or none that is"
        " instrumented.",
        (ASKED,),
        certain=False,
    ),
    Case(
        "a name that is nearly the same",
        "no-worker",
        lonely("Helper"),
        "a worker is registered as 'helper'",
        (REGISTERED, ASKED),
        registered(name="helper"),
    ),
    Case(
        "another name altogether",
        "no-worker",
        lonely("billing"),
        "registered are 'helper'",
        (REGISTERED, ASKED),
        registered(name="helper"),
        certain=False,
    ),
    Case(
        "closed before",
        "no-worker",
        lonely("helper"),
        f"its worker ({WORKER}) had already closed",
        ((Kind.WORKER_CLOSED, WORKER), ASKED),
        [*registered(name="helper"), worker(Kind.WORKER_CLOSED, -5000, name="helper")],
    ),
    Case(
        "started again under a name",
        "no-worker",
        lonely(),
        f"its worker ({WORKER}) had already closed, and what registered since is 'helper'",
        ((Kind.WORKER_CLOSED, WORKER), (Kind.WORKER_REGISTERED, OTHER), ASKED),
        [*registered(), worker(Kind.WORKER_CLOSED, -5000), *registered(-4000, OTHER, "helper")],
    ),
    Case(
        "the only dispatch is unnamed",
        "worker-is-named",
        lonely(),
        "the worker is registered as 'helper'",
        (REGISTERED, ASKED),
        registered(name="helper"),
        certain=False,
    ),
    Case(
        "made by the API, joined later",
        "room-existed",
        lonely(joined=3000),
        "The room existed before ada joined",
        ((Kind.ROOM_CREATED, ROOM), ASKED, (Kind.PARTICIPANT_JOINING, ADA)),
        registered(name="helper"),
        certain=False,
    ),
    Case(
        "a named dispatch and a worker without a name",
        "worker-is-unnamed",
        lonely("helper"),
        "Agent 'helper' was dispatched, and the worker is registered without a name",
        (REGISTERED, ASKED),
        registered(),
        certain=False,
    ),
    Case(
        "registered 3 s after the dispatch",
        "late-worker",
        lonely(),
        "registered 3.0 s after the dispatch was created",
        (ASKED, REGISTERED),
        registered(3000),
    ),
    Case(
        "full when it was made",
        "workers-full",
        lonely(),
        f"found worker {WORKER} at full capacity (load 0.95)",
        ((Kind.WORKER_FULL, WORKER), ASKED),
        [*registered(), worker(Kind.WORKER_FULL, -400, attributes={keys.WORKER_LOAD: 0.95})],
    ),
    Case(
        "asked, and full",
        "workers-full",
        [*lonely(), *refused("full")],
        f"Worker {WORKER} was offered the job, and was at full capacity.",
        (OFFERED, RECEIVED, REJECTED),
    ),
    Case(
        "draining when it was made",
        "worker-draining",
        lonely(),
        "found only a worker that was draining",
        ((Kind.WORKER_DRAINING, WORKER), ASKED),
        [*registered(), worker(Kind.WORKER_DRAINING, -3000)],
    ),
    Case(
        "asked while draining",
        "worker-draining",
        [*lonely(), *refused("draining")],
        f"Worker {WORKER} was offered the job while draining.",
        (OFFERED, RECEIVED, REJECTED),
    ),
    Case(
        "its load was above the server's limit",
        "load-above-limit",
        lonely(),
        f"worker {WORKER} reported a load of 0.91, and the server offers jobs to none whose load is 0.7 or more",
        ((Kind.WORKER_LOAD, WORKER), ASKED),
        [*registered(), *load(0.91, -5000)],
    ),
    Case(
        "full for jobs on their way, with none of its own",
        "worker-overbooked",
        lonely(),
        f"found worker {WORKER} full with 0 jobs and 2 on their way",
        ((Kind.WORKER_FULL, WORKER), ASKED),
        [*registered(), *load(0.05, -20_000), worker(Kind.WORKER_FULL, -400, attributes=reserved(0, 2))],
    ),
    Case(
        "refused for jobs on their way",
        "worker-overbooked",
        [*lonely(), *refused("full", attributes=reserved(0, 2))],
        f"Worker {WORKER} was offered the job, and refused it as full with 0 jobs and 2 on their way",
        (OFFERED, RECEIVED, REJECTED),
        [*registered(), *load(0.05, -20_000)],
    ),
    Case(
        "disconnected when it was made, and back later",
        "worker-disconnected",
        lonely(),
        f"worker {WORKER} had lost its connection to the server 5.0 s before, and was registered again 9.0 s after",
        ((Kind.WORKER_DISCONNECTED, WORKER), ASKED, (Kind.WORKER_REGISTERED, OTHER)),
        [*registered(), worker(Kind.WORKER_DISCONNECTED, -5000), *again(9000)],
    ),
    Case(
        "its only worker is of another deployment",
        "other-deployment",
        lonely(),
        "its only workers are registered for deployment 'blue'",
        (REGISTERED, ASKED),
        [worker(Kind.WORKER_REGISTERED, -30_000, attributes={keys.DEPLOYMENT: "blue"})],
        certain=False,
    ),
    Case(
        "received 10 s after it was offered",
        "worker-did-not-answer",
        [*lonely(), *frozen(10_000)],
        f"Worker {WORKER} received the job 10.0 s after it was offered",
        (OFFERED, RECEIVED, (Kind.JOB_ACCEPTED, JOB), (Kind.JOB_TIMED_OUT, JOB)),
        certain=False,
    ),
    Case(
        "answered after 4 s",
        "slow-request",
        [*lonely(), *until(Kind.JOB_RECEIVED), of_job(Kind.JOB_ACCEPTED, 4201.4, ABOUT_JOB, WORKER), LOST],
        f"Worker {WORKER} was offered the job and answered after 4.0 s",
        (OFFERED, RECEIVED, (Kind.JOB_ACCEPTED, JOB), (Kind.JOB_TIMED_OUT, JOB)),
    ),
    Case(
        "never answered, and nobody knows whether the worker lives",
        "slow-request",
        [*lonely(), *until(Kind.JOB_RECEIVED)],
        f"Worker {WORKER} was offered the job and has not answered in 59.8 s",
        (OFFERED, RECEIVED),
        certain=False,
    ),
    Case(
        "rejected",
        "rejected",
        [*lonely(), *refused("rejected")],
        f"Worker {WORKER} was offered the job, and its request_fnc rejected it.",
        (OFFERED, RECEIVED, REJECTED),
    ),
    Case(
        "rejected, as the API shows it",
        "rejected",
        [*lonely(), *offered("JS_SUCCESS", 201)],
        "ended the moment it was offered, as JS_SUCCESS and without a participant identity",
        (OFFERED, ENDED),
    ),
    Case(
        "request_fnc raised",
        "request-raised",
        [*lonely(), *refused("raised", attributes=error("KeyError", "'tenant'"))],
        f"Worker {WORKER} was offered the job, and its request_fnc raised an exception: KeyError: 'tenant'.",
        (OFFERED, RECEIVED, REJECTED),
    ),
    Case(
        "load_fnc raised",
        "load-fnc-raised",
        [*lonely(), *refused("load_raised", attributes=error("RuntimeError", "no such metric"))],
        f"Worker {WORKER} was offered the job, and its load_fnc raised an exception, so that no answer was sent:"
        " RuntimeError: no such metric.",
        (OFFERED, RECEIVED, REJECTED),
    ),
    Case(
        "answered after 4 s, most of which load_fnc took",
        "slow-request",
        [
            *lonely(),
            *until(Kind.JOB_RECEIVED),
            of_job(Kind.JOB_ACCEPTED, 4201.4, {**ABOUT_JOB, keys.LOAD_TOOK: 3.9}, WORKER),
            LOST,
        ],
        f"Worker {WORKER} was offered the job and answered after 4.0 s, 3.9 s of it in load_fnc; the server waits 3 s",
        (OFFERED, RECEIVED, (Kind.JOB_ACCEPTED, JOB), (Kind.JOB_TIMED_OUT, JOB)),
    ),
    Case(
        "request_fnc gave no answer",
        "request-unanswered",
        [*lonely(), *refused("unanswered")],
        "returned without calling accept() or reject()",
        (OFFERED, RECEIVED, REJECTED),
    ),
    Case(
        "no process came up",
        "process-failed",
        [*lonely(), *until(Kind.JOB_ASSIGNED), NO_PROCESS],
        "was accepted, and no process started for it: no process became available.",
        ((Kind.JOB_ACCEPTED, JOB), (Kind.PROCESS_FAILED, JOB)),
    ),
    Case(
        "processes of the worker do not come up",
        "process-failed",
        [*lonely(), *until(Kind.JOB_ASSIGNED)],
        "no process started for it: no module named 'torch'.",
        ((Kind.JOB_ACCEPTED, JOB), (Kind.PROCESS_FAILED, WORKER)),
        [*registered(), NOT_UP],
    ),
    Case(
        "raised",
        "raised-before-connect",
        [
            *lonely(),
            *until(Kind.JOB_ENTRYPOINT_STARTED),
            of_job(Kind.AGENT_DISCONNECTED, 255),  # reported also of an agent that never connected
            of_job(Kind.JOB_ENDED, 260, error("KeyError", "'MODEL'")),
        ],
        f"The entrypoint of job {JOB} raised KeyError: 'MODEL', before ctx.connect().",
        (STARTED, ENDED),
    ),
    Case(
        "returned without connect()",
        "never-connected",
        [*lonely(), *until(Kind.JOB_ENTRYPOINT_STARTED), of_job(Kind.JOB_ENTRYPOINT_RETURNED, 220.6)],
        "returned after 13 ms without ctx.connect()",
        (STARTED, (Kind.JOB_ENTRYPOINT_RETURNED, JOB)),
        now=ms(30_000),
    ),
    Case(
        "hangs before connect()",
        "never-connected",
        [*lonely(), *until(Kind.JOB_ENTRYPOINT_STARTED)],
        "ran for 14.2 s without ctx.connect()",
        (STARTED, FINISHED),
        now=ms(30_000),
        certain=False,
    ),
    Case(
        "ended itself without connect()",
        "never-connected",
        [
            *lonely(),
            *until(Kind.JOB_ENTRYPOINT_STARTED),
            of_job(Kind.JOB_SHUTDOWN, 11_207.6, {keys.SHUTDOWN_REASON: "user requested"}),
            of_job(Kind.JOB_ENDED, 11_300, {keys.JOB_STATUS: "JS_SUCCESS"}),
        ],
        "ran for 11.0 s without ctx.connect()",
        (STARTED, (Kind.JOB_SHUTDOWN, JOB)),
    ),
    Case(
        "connect() failed",
        "connect-failed",
        [
            *lonely(),
            *with_facts(until(Kind.AGENT_CONNECTING), Kind.AGENT_CONNECTING, JOB, UNREACHED),
            of_job(Kind.JOB_ENDED, 12_300, UNREACHED),
        ],
        f"In job {JOB}, ctx.connect() failed: ConnectError: wait_pc_connection timed out.",
        (CONNECTING, ENDED),
    ),
    Case(
        "the server gave the agent up",
        "connect-failed",
        [
            *lonely(),
            *with_facts(until(Kind.AGENT_CONNECTING), Kind.JOB_OFFERED, JOB, ABOUT_AGENT),
            _cut(Kind.PARTICIPANT_JOINING, AGENT, 256, "webhook", ABOUT_AGENT),
            _webhook(Kind.PARTICIPANT_ABORTED, AGENT, 10_256, ABOUT_AGENT),
        ],
        "got no media connection: the server aborted it",
        (CONNECTING, (Kind.PARTICIPANT_ABORTED, AGENT)),
        now=ms(30_000),
    ),
    Case(
        "an agent nobody knows was given up",
        "connect-failed",
        [
            *lonely(),
            _cut(Kind.PARTICIPANT_JOINING, AGENT, 256, "webhook", ABOUT_AGENT),
            _webhook(Kind.PARTICIPANT_ABORTED, AGENT, 10_256, ABOUT_AGENT),
        ],
        f"agent-{JOB} joined and got no media connection",
        ((Kind.PARTICIPANT_JOINING, AGENT), (Kind.PARTICIPANT_ABORTED, AGENT)),
    ),
    Case(
        "connect() does not return",
        "connect-failed",
        [recorded for recorded in [*lonely(), *until(Kind.AGENT_CONNECTING)] if recorded.time < ms(LEFT)],
        "has not returned for 20 s",
        (CONNECTING,),
        now=ms(20_212),
        certain=False,
    ),
    Case(
        "registered and not asked",
        "worker-not-asked",
        lonely(),
        f"Worker {WORKER} was registered for an unnamed agent, and was not offered the job",
        (REGISTERED, ASKED),
        registered(),
        certain=False,
    ),
)

KILLED = moment(
    Kind.PROCESS_FAILED,
    JOB,
    ms(2000),
    witness="agent",
    clock="agent",
    told={keys.EXIT_CODE: -9, keys.KILLED: False},
)
IN_CALL = [m for m in healthy() if m.time < ms(2000) or m.witness != "agent"]
TWICE = _webhook(Kind.PARTICIPANT_LEFT, ADA, 2000, {**ABOUT_ADA, keys.DISCONNECT_REASON: "DUPLICATE_IDENTITY"})
ABOUT_GHOST: dict[str, Fact] = {keys.PARTICIPANT_ID: "PA_ghost", keys.PARTICIPANT_IDENTITY: "agent-" + JOB}
CAME_BACK = [
    *without(agent_goes(4300), VOICE := "TR_voice"),
    *(moved(m, 5000) for m in bob(0, 5900, "PA_ada2", ABOUT_ADA) if m.kind is not Kind.PARTICIPANT_LEFT),
    _webhook(Kind.PARTICIPANT_LEFT, "PA_ada2", 11_000, {**ABOUT_ADA, **HUNG_UP}),
]
CAME_BACK = [moved(m, 7000) if m.kind is Kind.ROOM_FINISHED else m for m in CAME_BACK]
DISCONNECTED = (
    Case(
        "killed, and the worker reports it",
        "process-killed",
        [*IN_CALL, KILLED],
        f"The process of job {JOB} ended by signal 9: it did not shut down by itself.",
        ((Kind.JOB_ENTRYPOINT_RETURNED, JOB), (Kind.PROCESS_FAILED, JOB)),
    ),
    Case(
        "never ended",
        "process-killed",
        IN_CALL,
        "last reported “job.entrypoint_returned” and never ended",
        ((Kind.JOB_ENTRYPOINT_RETURNED, JOB), FINISHED),
        certain=False,
    ),
    Case(
        "the session did not start",
        "raised-after-connect",
        with_facts(
            without(ended_early(700, "job crashed", error("APIError", "401")), Kind.SESSION_STARTED),
            Kind.SESSION_STARTING,
            JOB,
            error("APIError", "401"),
        ),
        f"The entrypoint of job {JOB} raised APIError: 401, and the agent left while the caller was there.",
        (CONNECTED, (Kind.SESSION_STARTING, JOB), (Kind.JOB_SHUTDOWN, JOB), ENDED),
    ),
    Case(
        "drained for 1.5 s",
        "deployed",
        ended_early(2500, "parent process shutdown"),
        f"Worker {WORKER} was being stopped, and 1.5 s later job {JOB} was shut down (parent process shutdown)",
        ((Kind.WORKER_DRAINING, WORKER), (Kind.JOB_SHUTDOWN, JOB), (Kind.WORKER_CLOSED, WORKER)),
        [*registered(), worker(Kind.WORKER_DRAINING, 1000), worker(Kind.WORKER_CLOSED, 2600)],
    ),
    Case(
        "connected when all was over",
        "ghost-room",
        [
            *(m for m in without(healthy(), AGENT, VOICE) if m.time < ms(210) or m.witness != "agent"),
            of_job(Kind.AGENT_CONNECTING, 8000),
            of_job(Kind.AGENT_CONNECTED, 8200, ABOUT_GHOST),
        ],
        "connected 1.7 s after this room had closed",
        (FINISHED, CONNECTING, CONNECTED),
        # The code took that long before it connected; and of a job in another room no end is recorded here.
        beside=frozenset({"slow-code"}),
        now=ms(9000),
        certain=False,
    ),
    Case(
        "the room that the ghost made",
        "ghost-room",
        [
            _cut(Kind.ROOM_CREATED, ROOM, 0, "webhook", ABOUT_ROOM),
            _cut(Kind.PARTICIPANT_JOINING, AGENT, 2, "webhook", ABOUT_AGENT),
        ],
        f"agent-{JOB} belongs to the room before this one ({BEFORE})",
        ((Kind.ROOM_FINISHED, BEFORE), (Kind.PARTICIPANT_JOINING, AGENT)),
        earlier=in_room(BEFORE, [moved(m, -10_000) for m in healthy() if m.subject != AGENT]),
    ),
    Case(
        "the agent was removed",
        "removed",
        agent_goes(2000, "PARTICIPANT_REMOVED"),
        f"An API call removed agent-{JOB}, an agent.",
        ((Kind.PARTICIPANT_LEFT, AGENT),),
    ),
    Case(
        "the caller was removed",
        "removed",
        with_facts(healthy(), Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: "PARTICIPANT_REMOVED"}),
        "The caller ada was removed by an API call, and no agent is known to have ended the call.",
        ((Kind.PARTICIPANT_LEFT, ADA),),
        certain=False,
    ),
    Case(
        "the room was deleted",
        "room-deleted",
        with_facts(healthy(), Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: "ROOM_DELETED"}),
        "deleted by an API call while ada was in it, and no agent is known to have ended the call.",
        ((Kind.PARTICIPANT_LEFT, ADA), FINISHED),
        certain=False,
    ),
    Case(
        "two people were connected, and the agent ended",
        "agent-deleted-room",
        deletes_the_room(),
        "An agent shut down its job, and the room was deleted while ada and bob were in it: both were disconnected.",
        ((Kind.JOB_SHUTDOWN, JOB), (Kind.PARTICIPANT_LEFT, ADA), (Kind.PARTICIPANT_LEFT, BOB), FINISHED),
    ),
    Case(
        "the agent ended, and did not hang up",
        "agent-left-caller",
        leaves_its_caller(20_000),
        f"agent-{JOB} ended by its own code (shutdown reason: I am done) while ada was there, who was alone for at"
        " least 21 s since.",
        ((Kind.JOB_SHUTDOWN, JOB), (Kind.PARTICIPANT_LEFT, AGENT), (Kind.PARTICIPANT_LEFT, ADA)),
    ),
    Case(
        "the dispatch was deleted",
        "dispatch-deleted",
        dispatch_deleted(),
        f"Job {JOB} was ended from outside while its worker went on, as DeleteDispatch does, and agent-{JOB} left ada,"
        " who was alone for at least 21 s since.",
        (
            (Kind.JOB_SHUTDOWN, JOB),
            (Kind.SESSION_CLOSED, JOB),
            (Kind.PARTICIPANT_LEFT, AGENT),
            (Kind.PARTICIPANT_LEFT, ADA),
        ),
        workers=registered(),
        certain=False,
    ),
    Case(
        "a second tab",
        "duplicate-identity",
        [
            *(m for m in healthy() if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, ADA)),
            TWICE,
            *bob(1999, 4100, "PA_ada2", ABOUT_ADA),
        ],
        "ada was disconnected when a client joined with the same identity: another client, or the same one",
        ((Kind.PARTICIPANT_JOINING, "PA_ada2"), (Kind.PARTICIPANT_LEFT, ADA)),
        certain=False,
    ),
    Case(
        "an agent that is called as its caller",
        "duplicate-identity",
        [
            *(
                replace(m, facts=facts({**dict(m.facts), keys.PARTICIPANT_IDENTITY: "ada"}))
                if m.subject == AGENT
                else m
                for m in healthy()
                if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, ADA)
            ),
            _webhook(Kind.PARTICIPANT_LEFT, ADA, 257, {**ABOUT_ADA, keys.DISCONNECT_REASON: "DUPLICATE_IDENTITY"}),
        ],
        "ada was disconnected when an agent joined with the same identity.",
        ((Kind.PARTICIPANT_JOINING, AGENT), (Kind.PARTICIPANT_LEFT, ADA)),
    ),
    Case(
        "back in the same room",
        "rejoined-without-agent",
        CAME_BACK,
        f"ada came back when agent-{JOB} had left; the room was the same, so no agent was dispatched, and they were"
        " alone for 5.9 s.",
        (
            (Kind.PARTICIPANT_LEFT, AGENT),
            (Kind.PARTICIPANT_JOINING, "PA_ada2"),
            (Kind.PARTICIPANT_LEFT, "PA_ada2"),
        ),
    ),
    calls_again(7100, reason="CONNECTION_TIMEOUT"),
    calls_again(7100),
)

ABORTED = _webhook(Kind.PARTICIPANT_ABORTED, ADA, 60_002, ABOUT_ADA)
STAYS = [m for m in healthy() if m.kind is not Kind.SESSION_CLOSED] + [
    of_job(Kind.SESSION_CLOSED, 1000, occurrence=SESSION)
]
WAITING, READY = (Kind.AGENT_WAITING_FOR_PARTICIPANT, JOB), (Kind.AGENT_PARTICIPANT_READY, JOB)
SILENT = (
    Case(
        "closed at 1 s, the caller stays until 4.1 s",
        "session-closed",
        STAYS,
        f"The session of job {JOB} closed, and for 3.1 s more ada had an agent in the room",
        ((Kind.SESSION_CLOSED, JOB), (Kind.JOB_SHUTDOWN, JOB)),
    ),
    Case(
        "listens to one who says nothing",
        "linked-to-another",
        monitored(),
        f"The session of job {JOB} was linked to bob, who published no track, and not to ada, who did.",
        ((Kind.TRACK_PUBLISHED, MICROPHONE), (Kind.SESSION_STARTING, JOB)),
        certain=False,
    ),
    Case(
        "gave up after 60 s",
        "peer-never-active",
        never_active(ABORTED),
        "ada was JOINING and never became ACTIVE, and gave up after 60.0 s",
        ((Kind.PARTICIPANT_JOINING, ADA), WAITING, (Kind.PARTICIPANT_ABORTED, ADA)),
        now=ms(61_000),
    ),
    Case(
        "is there still",
        "peer-never-active",
        never_active(None),
        "is there still after 20.0 s",
        ((Kind.PARTICIPANT_JOINING, ADA), WAITING),
        now=ms(20_002.5),
        certain=False,
    ),
)

DUPLICATED = (
    Case(
        "twice under one name",
        "dispatched-twice",
        [*healthy(), *second_agent("AD_again", "")],
        f"Two dispatches for an unnamed agent (automatic and explicit) brought two agents: agent-{JOB} and"
        f" agent-{SECOND}.",
        (ASKED, OFFERED, (Kind.DISPATCH_CREATED, "AD_again"), (Kind.JOB_OFFERED, SECOND)),
    ),
    Case(
        "unnamed and named",
        "default-and-named",
        [*healthy(), *second_agent(NAMED, "helper")],
        "The automatic dispatch brought an unnamed agent, and the explicit one brought 'helper'",
        (ASKED, OFFERED, (Kind.DISPATCH_CREATED, NAMED), (Kind.JOB_OFFERED, SECOND)),
    ),
    Case(
        "a worker nobody knows",
        "foreign-worker",
        without(with_facts(healthy(), Kind.JOB_OFFERED, JOB, {keys.WORKER_ID: OTHER}), "agent"),
        f"Job {JOB} went to worker {OTHER}, which reports nothing, although {WORKER} was registered",
        (REGISTERED, OFFERED, (Kind.PARTICIPANT_JOINING, AGENT)),
        registered(),
        certain=False,
    ),
)

LATE = (
    Case(
        "nobody came at first",
        "asked-again",
        asked_again(3000),
        "The dispatch for agent 'helper' brought no agent; one that was created 3.0 s later did.",
        ((Kind.DISPATCH_CREATED, "AD_first"), ASKED),
    ),
    Case(
        "waits 4 s for a process",
        "cold-process",
        [
            *delayed(healthy(), Kind.JOB_PROCESS_ASSIGNED, 4000),
            of_job(Kind.PROCESS_STARTED, 1202.6),
            of_job(Kind.PROCESS_READY, 4102.6),
        ],
        f"Job {JOB} waited 4.0 s for a process, of which setup_fnc took 2.9 s.",
        ((Kind.JOB_ASSIGNED, JOB), (Kind.JOB_PROCESS_ASSIGNED, JOB)),
    ),
    Case(
        "2 s from server to worker",
        "slow-offer",
        delayed(healthy(), Kind.JOB_RECEIVED, 2000),
        "was offered, and the worker received it at least 1.9 s later",
        (OFFERED, RECEIVED),
    ),
    Case(
        "accepted after 1.5 s",
        "slow-answer",
        delayed(healthy(), Kind.JOB_ACCEPTED, 1500),
        f"The worker's request_fnc took 1.5 s to accept job {JOB}.",
        (RECEIVED, (Kind.JOB_ACCEPTED, JOB)),
    ),
    Case(
        "accepted after 1.5 s, most of which load_fnc took",
        "slow-answer",
        with_facts(delayed(healthy(), Kind.JOB_ACCEPTED, 1500), Kind.JOB_ACCEPTED, JOB, {keys.LOAD_TOOK: 1.4}),
        f"The worker took 1.5 s to accept job {JOB}, 1.4 s of it in load_fnc.",
        (RECEIVED, (Kind.JOB_ACCEPTED, JOB)),
    ),
    Case(
        "connect() takes 3 s",
        "slow-connect",
        delayed(healthy(), Kind.AGENT_CONNECTED, 3000),
        f"In job {JOB}, ctx.connect() took 3.1 s.",
        (CONNECTING, CONNECTED),
    ),
    Case(
        "3 s before connect()",
        "slow-code",
        delayed(healthy(), Kind.AGENT_CONNECTING, 3000),
        f"The code of job {JOB} took 3.0 s before ctx.connect().",
        (STARTED, CONNECTING),
    ),
    Case(
        "3 s before wait_for_participant()",
        "slow-code",
        delayed(healthy(), Kind.AGENT_WAITING_FOR_PARTICIPANT, 3000),
        "took 3.0 s between ctx.connect() and wait_for_participant()",
        (CONNECTED, WAITING),
    ),
    Case(
        "3 s before session.start()",
        "slow-code",
        delayed(healthy(), Kind.SESSION_STARTING, 3000),
        "took 3.0 s before session.start()",
        (READY, (Kind.SESSION_STARTING, JOB)),
    ),
    Case(
        "session.start() takes 4 s",
        "slow-session",
        delayed(healthy(), Kind.SESSION_STARTED, 4000),
        f"In job {JOB}, session.start() took 4.0 s.",
        ((Kind.SESSION_STARTING, JOB), (Kind.SESSION_STARTED, JOB)),
    ),
    Case(
        "announced 1.9 s late",
        "silent-caller",
        waits_for_silent(),
        "ada was ACTIVE and had published no track; the agent was notified 1.9 s later.",
        (WAITING, (Kind.PARTICIPANT_ACTIVE, ADA), READY),
        certain=False,
    ),
)

UNRECORDED = (
    Case(
        "joins and leaves were lost",
        "lost-webhooks",
        [
            *(m for m in healthy() if (m.witness, m.kind) != ("webhook", Kind.PARTICIPANT_ACTIVE)),
            _polled(Kind.PARTICIPANT_ACTIVE, AGENT, 345, 358, ABOUT_AGENT),
        ],
        "2 webhooks did not arrive: only the API showed participant.active.",
        ((Kind.PARTICIPANT_ACTIVE, ADA), (Kind.PARTICIPANT_ACTIVE, AGENT)),
    ),
)

CASES = (*MISSING, *DISCONNECTED, *SILENT, *DUPLICATED, *LATE, *UNRECORDED)
"""Every case of every cause."""

__all__ = ["CASES", "DISCONNECTED", "DUPLICATED", "LATE", "MISSING", "SILENT", "UNRECORDED", "WAIT", "Case"]
