"""Somebody was there, and went."""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.entities import Shutdown
from tracer.timeline.origin import EndReason
from tracer.units import NS_PER_S
from tracer.why.call import LONG_ENOUGH, SOON
from tracer.why.cause import Cause, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["GONE"]

BACK_WITHIN = 600 * NS_PER_S
"""A caller who calls again within this, ns, means the same call."""
MISSED_WITHIN = 60 * NS_PER_S
"""Of a caller of whom nobody told why they left, whoever is back later than this, ns, means another call."""
IN_TURNS = 15 * NS_PER_S
"""Two clients with one identity throw each other out at least as often as this, ns."""
HANGS_UP = 5 * NS_PER_S
"""An agent that closed its session no longer before, ns, ended the call by deleting its room."""
DROPPED = {"CONNECTION_TIMEOUT", "SIGNAL_CLOSE", "STATE_MISMATCH", "MEDIA_FAILURE"}
"""Why somebody leaves who did not want to."""


class ProcessKilled(Cause):
    """Out of memory, a crash in native code, kill -9, a host that is gone."""

    name = "process-killed"
    symptom = Symptom.GONE
    about = "the job's process was killed, or crashed"
    advice = (
        "Look for the reason on the worker's machine: its log says when it killed the process itself"
        " (job_memory_limit_mb, unresponsive); the kernel's log says when it was out of memory."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.timeline.jobs:
            failed = job.at(Kind.PROCESS_FAILED)
            if not job.at(Kind.JOB_ENTRYPOINT_STARTED) and not (failed and keys.EXIT_CODE in failed.facts):
                continue
            last = job.last_told
            if case.timeline.lost(job) is None:
                gone = self._dropped(case, case.agent_of.get(job.sid))
                if gone and last.time < gone.time and not job.at(Kind.JOB_SHUTDOWN, Kind.JOB_ENDED):
                    yield self.found(
                        f"The server lost the agent of job {job.sid} ({gone.facts.get(keys.DISCONNECT_REASON)}), which"
                        f" was last heard of in “{last.kind}”: its process, its machine or its network is gone.",
                        last,
                        gone,
                        certain=False,
                    )
                continue
            if failed:
                code = failed.facts.get(keys.EXIT_CODE)
                how = f"by signal {-code}" if isinstance(code, int) and code < 0 else f"with exit code {code}"
                how = "early" if code is None else how
                who = (
                    "the worker itself killed it"
                    if failed.facts.get(keys.KILLED) is True
                    else "it did not end by itself"
                )
                yield self.found(f"The process of job {job.sid} ended {how}: {who}.", last, failed)
            else:
                yield self.found(
                    f"Job {job.sid} was last heard of in “{last.kind}” and never ended: its process, its worker or its"
                    " machine is gone, or its last spans did not arrive.",
                    last,
                    case.timeline.room.finished,
                    certain=False,
                )

    @staticmethod
    def _dropped(case: Call, agent: Participant | None) -> Step | None:
        """The going of an agent that the server lost, and that did not come back to its callers."""
        gone = agent.gone if agent else None
        if agent is None or gone is None or agent.disconnect_reason not in DROPPED:
            return None
        same = (other for other in case.agents if other.sid != agent.sid and other.identity == agent.identity)
        back = any(case.gone(other) > gone.time for other in same)
        left = gone.time + LONG_ENOUGH
        return gone if not back and case.end > left and case.callers_at(left) else None

    def doubt(self, case: Call) -> str | None:
        lost = next((agent for agent in case.untold_agents if self._dropped(case, agent)), None)
        if lost is None:
            return None
        return f"look on the machine of {case.who(lost)} for why the server lost it ({lost.disconnect_reason})"


class CallerAway(Cause):
    """A room closes departure_timeout after the last caller left, and its agent goes with it.

    Only who was cut off comes back to the same call: whoever hangs up and calls again means another.
    """

    name = "caller-away"
    symptom = Symptom.GONE
    about = "the caller was away for longer than the room waits, and the agent went with it"
    advice = "Raise departure_timeout (20 s by default) in CreateRoom or the token's RoomConfiguration."

    def find(self, case: Call) -> Iterator[Finding]:
        timeline = case.timeline
        for left, finished, joining, back in self._returns(case):
            if left is None or left.facts.get(keys.DISCONNECT_REASON) not in DROPPED or timeline.later is None:
                continue
            away = (joining.time - left.time) / NS_PER_S
            timeout = timeline.room.facts.get(keys.ROOM_DEPARTURE_TIMEOUT)
            waits = f"the room waits for {timeout} s" if timeout else "the room did not wait so long"
            yield self.found(
                f"{back.identity} lost the connection and was away for {away:.1f} s, and {waits}: it closed, and the"
                f" agent left. Coming back made a new room ({timeline.later.room.sid}), with an agent that knows"
                " nothing of this one.",
                left,
                finished,
                joining,
            )
            return

    def doubt(self, case: Call) -> str | None:
        for left, finished, joining, back in self._returns(case):
            untold = left is None or not left.facts.get(keys.DISCONNECT_REASON)
            if untold and joining.time - finished.time <= MISSED_WITHIN:
                return f"why {back.identity} left, only a webhook tells: send them to `tracer serve`, or ask the caller"
        return None

    @staticmethod
    def _returns(case: Call) -> Iterator[tuple[Step | None, Step, Step, Participant]]:
        """Who came to the next room of this name: how they had left, when this one closed, and their joining that."""
        timeline = case.timeline
        finished, later = timeline.room.finished, timeline.later
        if later is None or finished is None or timeline.end_reason != EndReason.DEPARTURE_TIMEOUT or not case.agents:
            return
        names = {p.identity for p in case.callers if p.identity}
        for back in later.participants:
            joining = back.at(Kind.PARTICIPANT_JOINING)
            if joining is None or back.is_agent or back.identity not in names:
                continue
            if not 0 <= joining.time - finished.time <= BACK_WITHIN:
                continue
            theirs = [p for p in case.callers if p.identity == back.identity and p.gone]
            before = max(theirs, key=case.gone, default=None)
            left = before.gone if before else None
            if left and not any(case.gone(agent) >= left.time for agent in case.agents):
                continue  # the agent had gone before them
            yield left, finished, joining, back


def _same(one: Participant, other: Participant) -> bool:
    """Whether two are one person; where identities are kept out, nobody is known to be."""
    return one.sid == other.sid or (one.identity is not None and one.identity == other.identity)


class RejoinedWithoutAgent(Cause):
    """A dispatch belongs to the room's creation: who comes back to the same room brings none."""

    name = "rejoined-without-agent"
    symptom = Symptom.GONE
    about = "a caller joined when the agent had gone, and no new one was dispatched"
    advice = (
        "The agent comes with the room, once. Let its job live while the room does (close_on_disconnect=False, no"
        " ctx.shutdown() when the caller leaves), or call CreateDispatch when the caller comes back."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        went = [(case.gone(agent), agent) for agent in case.agents if agent.gone]
        if not went or not all(map(case.is_room_job, case.timeline.jobs)):
            return  # of jobs for one participant, each who joins brings one
        first = min(gone for gone, _ in went)
        stays = [(agent.steps[0].time, case.gone(agent)) for agent in case.agents]
        offers = [s for job in case.timeline.jobs if (s := job.at(Kind.JOB_OFFERED))]
        asked = [s for d in case.timeline.dispatches if (s := d.at(Kind.DISPATCH_CREATED))]
        coming = sorted([*offers, *asked, *(a.steps[0] for a in case.agents)], key=lambda step: step.time)
        for caller in case.callers:
            joining, active = caller.at(Kind.PARTICIPANT_JOINING), caller.at(Kind.PARTICIPANT_ACTIVE)
            if not joining or not active:
                continue
            until = min(case.seen_until(caller), case.end)
            alone = until - active.time
            if first > active.time + SOON or alone < LONG_ENOUGH:
                continue
            # Until somebody sees to it, and an agent comes or is asked for.
            place = bisect_left(coming, joining.time - SOON, key=lambda step: step.time)
            seen_to = coming[place] if place < len(coming) and coming[place].time < until else None
            until = seen_to.time if seen_to else until
            alone = until - active.time
            there = any(came < joining.time - SOON and gone > active.time + SOON for came, gone in stays)
            if there or alone < LONG_ENOUGH:
                continue
            left, gone = max((pair for pair in went if pair[0] <= active.time + SOON), key=lambda pair: pair[0])
            with_it = [until for until, who in case.callers_at(left) if not _same(who, caller)]
            if any(until > active.time + SOON for until in with_it):
                continue  # handed over to them: the agent left a caller, and they are not alone
            again = any(
                p.identity == caller.identity and p.sid != caller.sid and case.gone(p) <= joining.time
                for p in case.callers
                if p.identity
            )
            yield self.found(
                f"{case.who(caller)} {'came back' if again else 'joined'}, and {case.who(gone)} had left; the room"
                f" was the same, so nobody was dispatched, and they were alone for {alone / NS_PER_S:.1f} s.",
                gone.gone,
                joining,
                seen_to or caller.gone,
                certain=bool(asked),  # without the observer, a dispatch nobody answered is not known
            )


CLOSES_WITHIN = 60 * NS_PER_S
"""A worker that ends its jobs is gone itself so soon after, ns."""


class Deployed(Cause):
    """A worker that is told to stop waits for its jobs, but not for ever."""

    name = "deployed"
    symptom = Symptom.GONE
    about = "the worker was stopped while the call went on"
    advice = (
        "Give the worker time to finish: drain_timeout, and the same in what stops it (terminationGracePeriodSeconds,"
        " stop_grace_period)."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.timeline.jobs:
            shutdown = job.at(Kind.JOB_SHUTDOWN)
            worker = next((w for w in case.known_workers if w.sid == job.worker_id), None)
            reason = job.shutdown_reason
            if shutdown is None or worker is None or reason not in (None, Shutdown.BY_WORKER):
                continue
            stopping = worker.at(Kind.WORKER_DRAINING, Kind.WORKER_CLOSED)
            there, missed = case.callers_at(shutdown.time), case.missed(shutdown.time)
            if stopping is None or stopping.time > shutdown.time + SOON or not (there or missed):
                continue
            finished = case.timeline.room.finished
            if finished and finished.time <= shutdown.time:
                continue
            closed, agent = worker.at(Kind.WORKER_CLOSED), case.agent_of.get(job.sid)
            later = shutdown.time - stopping.time
            when = f"{later / NS_PER_S:.1f} s later" if later > NS_PER_S // 20 else "at once"
            of_call = "while the caller was there" if there else "before its caller came"
            # The server, too, has a worker end a job in these words: after DeleteDispatch, or when its agent has left.
            taken = agent is not None and agent.disconnect_reason == "PARTICIPANT_REMOVED"
            yield self.found(
                f"Worker {worker.sid} was told to stop, and {when} job {job.sid} was shut down"
                f"{f' ({reason})' if reason else ''}, {of_call}.",
                stopping,
                shutdown,
                closed,
                certain=closed is not None and abs(closed.time - shutdown.time) < CLOSES_WITHIN and not taken,
            )


class RaisedAfterConnect(Cause):
    """livekit-agents then ends the job, and the agent leaves."""

    name = "raised-after-connect"
    symptom = Symptom.GONE
    about = "the agent's code raised, and the agent left with it"
    advice = "Mend the entrypoint: what it raises ends the job, also when session.start() raises it."

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.timeline.jobs:
            connected, shutdown = job.at(Kind.AGENT_CONNECTED), job.at(Kind.JOB_SHUTDOWN)
            if not connected or not shutdown or job.shutdown_reason != Shutdown.CRASHED:
                continue
            ended, failed = job.at(Kind.JOB_ENDED), job.at(Kind.SESSION_STARTING)
            error = ended.facts.get(keys.ERROR_TYPE) if ended else None
            text = ended.facts.get(keys.ERROR_MESSAGE) if ended else None
            there = case.callers_at(shutdown.time)
            if there or case.missed(shutdown.time):
                what = f" {error}{f': {text}' if text else ''}" if error else ""
                yield self.found(
                    f"The entrypoint of job {job.sid} raised{what}, and the agent left"
                    f" {'while the caller was there' if there else 'before its caller came'}.",
                    connected,
                    failed if failed and keys.ERROR_TYPE in failed.facts else None,
                    shutdown,
                    ended if error else None,
                )


class Removed(Cause):
    """RemoveParticipant."""

    name = "removed"
    symptom = Symptom.GONE
    about = "somebody was removed by an API call"
    advice = "Look for who calls RemoveParticipant."
    reason = "PARTICIPANT_REMOVED"

    def find(self, case: Call) -> Iterator[Finding]:
        for who in (*case.callers, *case.agents):
            if who.disconnect_reason == self.reason and who.gone:
                early = case.first_active is not None and case.first_active > who.gone.time
                if who.is_agent and (case.over(who.gone.time) or (early and not case.missed(who.gone.time))):
                    continue  # the call was over, or another agent was there when it began
                if not who.is_agent and case.agent_ended_it(who.gone.time):
                    continue  # hanging up
                what = "agent" if who.is_agent else "caller"
                yield self.found(
                    f"The {what} {case.who(who)} was removed by an API call.",
                    who.gone,
                    # That all callers had gone, webhooks that were lost may have told.
                    certain=not who.is_agent or case.first_active is None or early or self._there(case, who.gone),
                )

    @staticmethod
    def _there(case: Call, gone: Step) -> bool:
        return bool(case.callers_at(gone.time))

    def doubt(self, case: Call) -> str | None:
        """An agent that left its caller, nobody knows why: the reason of a leave comes by webhook only."""
        own = {sid for job in case.timeline.jobs if self._by_itself(job) and (sid := self._agent(case, job))}
        for agent in case.agents:
            if agent.gone and not agent.disconnect_reason and agent.sid not in own:
                left = agent.gone.time + LONG_ENOUGH
                if case.end > left and case.callers_at(left):
                    return f"see in the server's log why {case.who(agent)} left: the reason comes by webhook"
        return None

    @staticmethod
    def _by_itself(job: Job) -> bool:
        shutdown = job.at(Kind.JOB_SHUTDOWN)
        return shutdown is not None and job.shutdown_reason != Shutdown.ROOM_GONE

    @staticmethod
    def _agent(case: Call, job: Job) -> str | None:
        agent = case.agent_of.get(job.sid)
        return agent.sid if agent else None


class RoomDeleted(Cause):
    """DeleteRoom throws everybody out; many agents end a call so on purpose."""

    name = "room-deleted"
    symptom = Symptom.GONE
    about = "the room was deleted while a caller was in it"
    advice = "Look for who calls DeleteRoom: your backend, or the agent itself (ctx.delete_room())."

    def find(self, case: Call) -> Iterator[Finding]:
        thrown_out = [p for p in case.callers if p.disconnect_reason == "ROOM_DELETED" and p.gone]
        thrown_out = [p for p in thrown_out if not (case.agent_ended_it(g := case.gone(p)) or self._closed(case, g))]
        left = [p for p in thrown_out if not case.hung_up_before(case.gone(p))]
        several = len({case.who(p) for p in thrown_out}) > 1
        if left or several:  # two who are left can go on without the one who hung up
            thrown_out = thrown_out if several else left
            names = ", ".join(sorted(case.who(p) for p in thrown_out))
            yield self.found(
                f"The room was deleted by an API call while {names} {'was' if len(thrown_out) == 1 else 'were'} in it.",
                *(p.gone for p in thrown_out),
                case.timeline.room.finished,
                certain=bool(left),
            )

    @staticmethod
    def _closed(case: Call, at: int) -> bool:
        """Whether a session was closed just before: with ``delete_room_on_close`` that is how an agent hangs up."""
        closed = (s for job in case.timeline.jobs for s in job.steps if s.kind is Kind.SESSION_CLOSED)
        return any(0 < at - step.time < HANGS_UP for step in closed)


class DuplicateIdentity(Cause):
    """Two clients with one identity: the later one throws the first out."""

    name = "duplicate-identity"
    symptom = Symptom.GONE
    about = "somebody joined with the same identity and threw the first out"
    advice = "Give each client an identity of its own; two tabs with one token take turns in throwing each other out."

    def find(self, case: Call) -> Iterator[Finding]:
        thrown_out = [p for p in case.timeline.participants if p.disconnect_reason == "DUPLICATE_IDENTITY" and p.gone]
        again = Counter(p.identity for p in thrown_out)
        turns = _turns(thrown_out)
        joins: dict[str, list[Step]] = defaultdict(list)
        for who in case.timeline.participants if thrown_out else ():
            if who.identity and (joining := who.at(Kind.PARTICIPANT_JOINING)):
                joins[who.identity].append(joining)
        for theirs in joins.values():
            theirs.sort(key=lambda step: step.time)
        for who in thrown_out:
            more = who.identity is not None and again[who.identity] > 1
            theirs = joins[who.identity or ""]
            left = case.gone(who)
            place = bisect(theirs, left, key=lambda step: step.time)
            near = (step for step in theirs[max(place - 2, 0) : place + 2] if step.subject != who.sid)
            yield self.found(
                f"{case.who(who)} was thrown out when a client joined with the same identity"
                + (", again." if more else ": another one, or the same that lost its connection."),
                who.gone,
                min(near, key=lambda step: abs(step.time - left), default=None),
                certain=who.identity in turns,  # a client that reconnects throws itself out, now and then
            )


def _turns(thrown_out: list[Participant]) -> set[str | None]:
    """Identities of which one was thrown out soon after another: two clients, and not one that reconnects."""
    times: dict[str, list[int]] = defaultdict(list)
    for who in thrown_out:
        if who.identity and who.gone:
            times[who.identity].append(who.gone.time)
    return {
        identity
        for identity, gone in times.items()
        if any(later - earlier < IN_TURNS for earlier, later in pairwise(sorted(gone)))
    }


class GhostRoom(Cause):
    """Joining a name whose room has closed makes a new room."""

    name = "ghost-room"
    symptom = Symptom.GONE
    about = "the agent connected after its room had closed, and so made a new one"
    advice = (
        "Connect at once, and do what takes long afterwards. The new room has a caller for nobody, until its"
        " empty_timeout."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        here = {p.sid for p in case.timeline.participants}
        finished = case.timeline.room.finished
        for job in case.timeline.jobs:
            connected = job.at(Kind.AGENT_CONNECTED)
            sid = connected.facts.get(keys.PARTICIPANT_ID) if connected else None
            if not connected or not finished or not sid or sid in here:
                continue
            late = (case.not_before(job, connected) or 0) - finished.time
            if late > 0:
                yield self.found(
                    f"The agent of job {job.sid} connected {late / NS_PER_S:.1f} s after this room had closed: it"
                    " joined another room of the same name, which its joining made.",
                    finished,
                    job.at(Kind.AGENT_CONNECTING),
                    connected,
                )
        yield from self._from_the_other_side(case)

    def _from_the_other_side(self, case: Call) -> Iterator[Finding]:
        before = case.timeline.earlier
        if before is None:
            return
        theirs: dict[str, Job] = {job.participant_identity: job for job in before.jobs if job.participant_identity}
        ours = {job.participant_identity for job in case.timeline.jobs}
        for agent in case.agents:
            job = theirs.get(agent.identity or "")
            # An identity that a worker gives to each of its agents tells nothing.
            joining = agent.at(Kind.PARTICIPANT_JOINING)
            made = joining and not any(
                (first := who.at(Kind.PARTICIPANT_JOINING)) and first.latest < joining.earliest for who in case.callers
            )
            if job and joining and made and job.sid in str(agent.identity) and agent.identity not in ours:
                yield self.found(
                    f"{agent.identity} belongs to the room before this one ({before.room.sid}), which had closed: its"
                    " joining made this room.",
                    before.room.finished,
                    joining,
                )


GONE = (
    ProcessKilled(),
    RaisedAfterConnect(),
    Deployed(),
    GhostRoom(),
    Removed(),
    RoomDeleted(),
    DuplicateIdentity(),
    RejoinedWithoutAgent(),
    CallerAway(),
)
"""Its causes, the surest first."""
