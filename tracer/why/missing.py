"""No agent came."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.origin import CreatedBy
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.why.call import SERVER_WAITS, SOON
from tracer.why.cause import Cause, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Job, Worker
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["MISSING"]

CONNECT_BY = 10 * NS_PER_S
"""livekit-agents itself warns of an entrypoint that has not connected by then, ns."""
PROCESS_BY = 10 * NS_PER_S
"""A process that has not come up by then, ns, is killed by default (``initialize_process_timeout``)."""
TOLD_EVERY = 5 * NS_PER_S
"""A worker whose processes do not come up tells of it so often, ns: see ``worker_process.NOT_UP_EVERY``."""
CONNECTED_BY = 15 * NS_PER_S
"""A connection that is not there by then, ns, is tried in vain."""

SHOWN = 10
"""So many workers are evidence enough."""
TRIED_FOR = 3 * NS_PER_S
"""Who has tried to connect for longer than this, ns, would not have succeeded."""

INSTRUMENT = "instrument the worker (tracer.instrument), or look in its log for"


class _WithoutJob(Cause):
    """A dispatch with no job: which of several reasons, the workers that told of themselves show."""

    symptom = Symptom.MISSING
    log: ClassVar[str] = ""
    """What to look for in the log of a worker that tells nothing."""

    def find(self, case: Call) -> Iterator[Finding]:
        for dispatch, created in case.without_job:
            same = case.workers(dispatch.agent_name)
            yield from self.judge(case, dispatch, created, same)

    def judge(self, case: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        """Given a dispatch, when it was made, and the workers that told they take its name."""
        raise NotImplementedError

    def doubt(self, case: Call) -> str | None:
        silent = any(not case.workers(dispatch.agent_name) for dispatch, _ in case.without_job)
        return f"{INSTRUMENT} {self.log}" if silent and self.log else None


class NoWorker(_WithoutJob):
    """The commonest: the name is not the one the worker has, or no worker runs."""

    name = "no-worker"
    about = "no worker is registered under the name that was asked for"
    advice = (
        "Start a worker of that name, or ask for the name it has: agent_name in @server.rtc_session() and in the"
        " dispatch, token or CreateRoom must be the same, letter by letter."
    )

    def judge(self, case: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        if same:
            gone = [w for w in same if w.standing(created.time) is Kind.WORKER_CLOSED]
            if gone and len(gone) == len(same):
                last = gone[-1].at(Kind.WORKER_CLOSED)
                yield self.found(
                    f"The dispatch for {case.agent_named(dispatch.agent_name)} found no worker: the one that was there"
                    f" ({gone[-1].sid}) had closed before.",
                    created,
                    last,
                )
            return
        known = case.standing_workers(created.time)
        wanted = case.agent_named(dispatch.agent_name)
        sentence = f"The dispatch for {wanted} found no worker: it has no job"
        if not known:
            yield self.found(f"{sentence}, and no worker told that it was there.", created, certain=False)
            return
        if not dispatch.agent_name or all(not worker.agent_name for worker in known):
            return  # a matter of having a name or none: see those
        names = sorted({worker.agent_name for worker in known if worker.agent_name})
        near = get_close_matches(dispatch.agent_name.casefold(), [n.casefold() for n in names], n=1, cutoff=0.6)
        meant = next((n for n in names if near and n.casefold() == near[0]), None)
        there = f"; a worker is registered as {meant!r}" if meant else f"; registered are {', '.join(map(repr, names))}"
        # A worker of that name that tells nothing could have been full; where a name is nearly it, hardly.
        yield self.found(
            f"{sentence}{there}.",
            created,
            *(worker.steps[0] for worker in known[:SHOWN]),
            certain=meant is not None and _plain(meant) == _plain(dispatch.agent_name),
        )


def _plain(name: str) -> str:
    """A name without what people mistype; ``agent-en`` and ``agent-de`` are two, and both can be meant."""
    return "".join(char for char in name.casefold() if char.isalnum())


class WorkerIsNamed(_WithoutJob):
    """A worker with a name takes no unnamed dispatch."""

    name = "worker-is-named"
    about = "the worker has an agent_name, and only the unnamed dispatch was made"
    advice = (
        "A worker with an agent_name must be asked for: name it in the caller's token (RoomConfiguration.agents), in"
        " CreateRoom or by CreateDispatch. Or take the agent_name away: then it is sent to every new room."
    )

    def judge(self, case: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        known = case.standing_workers(created.time)
        if dispatch.agent_name or same or not known or case.timeline.created_by == CreatedBy.API:
            return
        names = ", ".join(sorted({repr(worker.agent_name) for worker in known}))
        yield self.found(
            f"The only dispatch is the automatic one, for agents without a name, and the worker is registered as"
            f" {names}: it is not asked.",
            created,
            *(worker.steps[0] for worker in known[:SHOWN]),
            certain=False,  # nobody may have wanted an agent: every room has this dispatch
        )


class RoomExisted(_WithoutJob):
    """Agents in a token count only where the join makes the room (livekit #4390)."""

    name = "room-existed"
    about = "the token's agents were ignored, because the room was there already"
    advice = (
        "Agents in a token's RoomConfiguration count only when the join makes the room. Name them in CreateRoom, or"
        " call CreateDispatch after it."
    )

    def judge(self, case: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        known = case.standing_workers(created.time)
        if dispatch.agent_name or same or not known or case.timeline.created_by != CreatedBy.API or not case.callers:
            return
        first = case.callers[0]
        joining = first.at(Kind.PARTICIPANT_JOINING)
        names = ", ".join(sorted({repr(worker.agent_name) for worker in known}))
        yield self.found(
            f"The room was there before {case.who(first)} joined, so agents that their token names were ignored: nobody"
            f" asked for {names}, and the automatic dispatch is for agents without a name.",
            case.timeline.room.created,
            created,
            joining,
            certain=False,  # what is in a token, no witness sees
        )

    def doubt(self, case: Call) -> str | None:
        if not case.without_job or any(d.agent_name for d in case.timeline.dispatches) or not case.callers:
            return None
        if case.timeline.created_by not in (None, CreatedBy.API):
            return None
        return "look whether the caller's token has RoomConfiguration.agents, and whether CreateRoom was called before"


class WorkerIsUnnamed(_WithoutJob):
    """A worker without a name takes only unnamed dispatches, and a room that names its agents gets none."""

    name = "worker-is-unnamed"
    about = "an agent was asked for by name, and the worker has none"
    advice = (
        "Give the worker that agent_name in @server.rtc_session(), or name no agents in token and CreateRoom: a room"
        " that names its agents gets no automatic dispatch."
    )

    def judge(self, case: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        known = case.standing_workers(created.time)
        if not dispatch.agent_name or same or not known or any(worker.agent_name for worker in known):
            return
        yield self.found(
            f"Agent {dispatch.agent_name!r} was asked for, and the worker is registered without a name: it is not"
            " asked.",
            created,
            *(worker.steps[0] for worker in known[:SHOWN]),
            certain=False,  # a worker of that name that tells nothing could have been full
        )


class LateWorker(_WithoutJob):
    """A dispatch is one shot."""

    name = "late-worker"
    about = "the worker registered after the dispatch"
    advice = (
        "A dispatch is made once and not tried again: have the worker registered before the room is made, or call"
        " CreateDispatch once it is."
    )

    def judge(self, case: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        before = [w for w in same if w.standing(created.time) not in (None, Kind.WORKER_CLOSED)]
        registered = [step for w in same if (step := w.at(Kind.WORKER_REGISTERED)) and step.time > created.time]
        if before or not registered:
            return
        first = min(registered, key=lambda step: step.time)
        late = first.time - created.time
        when = f"{late / NS_PER_S:.1f} s" if late >= NS_PER_S else f"{late / NS_PER_MS:.0f} ms"
        # If its clock were ahead, it would have been there; then one that takes jobs would have been asked.
        took_none = any(s.kind in _TAKES_NONE and s.time <= case.end for w in same for s in w.steps)
        yield self.found(
            f"A worker for {case.agent_named(dispatch.agent_name)} registered {when} after the dispatch was made: too"
            " late for it.",
            created,
            first,
            certain=late > SOON and first.time <= case.end and not took_none,
        )

    log = "“registered worker” and its time"


_TAKES_NONE = {Kind.WORKER_FULL, Kind.WORKER_DRAINING, Kind.WORKER_CLOSED}


class WorkersFull(_WithoutJob):
    """A worker above its load threshold is not asked, or says no by itself."""

    name = "workers-full"
    about = "every worker of that name was full"
    advice = (
        "Start more workers, or raise load_threshold: a worker whose load_fnc tells 0.7 or more (by default the CPU of"
        " its machine) takes no jobs."
    )
    log = "“worker is at full capacity”"

    def judge(self, case: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        gone = (None, Kind.WORKER_CLOSED, Kind.WORKER_DRAINING)
        there = [w for w in same if w.standing(created.time) not in gone]
        full = [w for w in there if w.standing(created.time) is Kind.WORKER_FULL]
        if not full or len(full) < len(there):
            return
        steps = [[s for s in w.steps if s.kind is Kind.WORKER_FULL and s.time <= created.time][-1] for w in full]
        load = steps[-1].facts.get(keys.WORKER_LOAD)
        told = f" (load {load:.2f})" if isinstance(load, float) else ""
        which = full[-1].sid if len(full) == 1 else f"all {len(full)} workers"
        yield self.found(
            f"The dispatch for {case.agent_named(dispatch.agent_name)} found {which} full{told}.",
            created,
            *steps[-SHOWN:],
            certain=all(case.alive(worker, created.time) for worker in full),
        )

    def find(self, case: Call) -> Iterator[Finding]:
        yield from super().find(case)
        for job in case.failed_jobs:
            if refusal := _refusal(job, "full"):
                yield self.found(
                    f"Worker {refusal.occurrence} was asked, and was full.", *_asked(job, refusal), refusal
                )


class WorkerDraining(_WithoutJob):
    """A worker that was told to stop takes nothing new."""

    name = "worker-draining"
    about = "the only worker was draining"
    advice = "Start the new worker before the old one is told to stop."

    def judge(self, case: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        there = [w for w in same if w.standing(created.time) not in (None, Kind.WORKER_CLOSED)]
        draining = [w for w in there if w.standing(created.time) is Kind.WORKER_DRAINING]
        if draining and len(draining) == len(there):
            steps = [step for w in draining if (step := w.at(Kind.WORKER_DRAINING))]
            yield self.found(
                f"The dispatch for {case.agent_named(dispatch.agent_name)} found only a worker that was draining.",
                created,
                *steps,
                certain=all(case.alive(worker, created.time) for worker in draining),
            )

    def find(self, case: Call) -> Iterator[Finding]:
        yield from super().find(case)
        for job in case.failed_jobs:
            if refusal := _refusal(job, "draining"):
                yield self.found(
                    f"Worker {refusal.occurrence} was asked while draining.", *_asked(job, refusal), refusal
                )


class WorkerNotAsked(_WithoutJob):
    """It told that it is there, and the server did not ask it: mostly it is gone, for a killed worker says nothing."""

    name = "worker-not-asked"
    about = "a worker of that name had registered, and was not asked"
    advice = (
        "See whether it still runs and is connected to this server and project: a worker that is killed, or cut off,"
        " cannot say so. Its last word is the evidence."
    )

    def judge(self, case: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        there = [w for w in same if w.standing(created.time) in (Kind.WORKER_REGISTERED, Kind.WORKER_AVAILABLE)]
        if there:
            yield self.found(
                f"Worker {there[-1].sid} had registered for {case.agent_named(dispatch.agent_name)}, and was not asked:"
                " it is probably gone.",
                created,
                there[-1].steps[-1],
                certain=False,
            )


class _RefusedJob(Cause):
    """A worker was asked and refused."""

    symptom = Symptom.MISSING
    answer: ClassVar[str]
    says: ClassVar[str]

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.failed_jobs:
            if refusal := _refusal(job, self.answer):
                error = refusal.facts.get(keys.ERROR_MESSAGE)
                kind = refusal.facts.get(keys.ERROR_TYPE)
                why = f": {kind}: {error}" if kind and error else f": {kind}" if kind else ""
                yield self.found(f"Worker {refusal.occurrence} {self.says}{why}.", *_asked(job, refusal), refusal)


def _refusal(job: Job, answer: str) -> Step | None:
    if job.at(Kind.JOB_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED):
        return None  # another worker took it
    return next((s for s in job.steps if s.kind is Kind.JOB_REJECTED and s.facts.get(keys.JOB_ANSWER) == answer), None)


def _asked(job: Job, answer: Step) -> tuple[Step | None, ...]:
    """How the worker was asked that gave this answer."""
    received = (s for s in job.steps if s.kind is Kind.JOB_RECEIVED and s.occurrence == answer.occurrence)
    return (job.at(Kind.JOB_OFFERED), next(received, None))


class Rejected(_RefusedJob):
    """``req.reject()``."""

    name = "rejected"
    about = "the worker's request_fnc rejected the job"
    advice = "Look at what request_fnc rejects; reject(terminate=False) lets the server ask another worker."
    answer = "rejected"
    says = "was asked, and its request_fnc rejected the job"

    def find(self, case: Call) -> Iterator[Finding]:
        yield from super().find(case)
        for job in case.failed_jobs:
            offered, ended = job.at(Kind.JOB_OFFERED), job.at(Kind.JOB_ENDED)
            if job.at(Kind.JOB_RECEIVED, Kind.JOB_REJECTED) or not offered or not ended:
                continue
            # The server writes a rejected job as a success that took no time and has nobody in the room.
            if ended.time == offered.time and job.status == "JS_SUCCESS" and not job.participant_identity:
                yield self.found(
                    f"Job {job.sid} ended the moment it was offered, as JS_SUCCESS and without an identity: so the"
                    " server writes a rejected one.",
                    offered,
                    ended,
                )


class RequestRaised(_RefusedJob):
    """What request_fnc raises is logged, and the job is rejected."""

    name = "request-raised"
    about = "the worker's request_fnc raised"
    advice = "Mend request_fnc: what it raises before accept() or reject() refuses the job."
    answer = "raised"
    says = "was asked, and its request_fnc raised"

    def doubt(self, case: Call) -> str | None:
        return f"{INSTRUMENT} “job_request_fnc failed”" if _untold(case) else None


class RequestUnanswered(_RefusedJob):
    """A request_fnc that returns without an answer rejects."""

    name = "request-unanswered"
    about = "the worker's request_fnc gave no answer"
    advice = "Call accept() or reject() on every path through request_fnc."
    answer = "unanswered"
    says = "was asked, and its request_fnc returned without accept() or reject()"

    def doubt(self, case: Call) -> str | None:
        return f"{INSTRUMENT} “no answer was given inside the job_request_fnc”" if _untold(case) else None


def _untold(case: Call) -> bool:
    """Whether a worker that tells nothing could have been asked in vain."""
    unknown = [d for d, _ in case.without_job if not case.workers(d.agent_name)]
    return bool(unknown) or any(not case.told_by_agent(job) for job in case.failed_jobs)


class SlowRequest(Cause):
    """The server asks, waits for 3 s, and forgets."""

    name = "slow-request"
    symptom = Symptom.MISSING
    about = "request_fnc took longer than the 3 s for which the server waits"
    advice = "Answer at once: what takes long belongs into the entrypoint, after accept()."

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.failed_jobs:
            if job.at(Kind.JOB_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED, Kind.PROCESS_FAILED):
                continue
            for received in (step for step in job.steps if step.kind is Kind.JOB_RECEIVED):
                mine = [step for step in job.steps if step.occurrence == received.occurrence]
                if any(step.kind is Kind.JOB_REJECTED for step in mine):
                    continue  # late or not, it did not want the job
                answered = next((step for step in mine if step.kind is Kind.JOB_ACCEPTED), None)
                took = answered.time - received.time if answered else self._waited(case, job, received)
                if took <= SERVER_WAITS:
                    continue
                told = f"{'answered after' if answered else 'has not answered in'} {took / NS_PER_S:.1f} s"
                yield self.found(
                    f"Worker {received.occurrence} was asked and {told}; the server waits for 3 s, then the job is"
                    " lost.",
                    *_asked(job, received),
                    answered,
                    next((s for s in mine if s.kind is Kind.JOB_TIMED_OUT), None),
                    certain=answered is not None or self._lives(case, received),
                )

    @staticmethod
    def _lives(case: Call, received: Step) -> bool:
        """Whether the worker told something when its answer was overdue: else it may be gone."""
        of_worker = (w.steps[-1].time for w in case.known_workers if w.sid == received.occurrence)
        return any(last - received.time > SERVER_WAITS for last in of_worker)

    @staticmethod
    def _waited(case: Call, job: Job, received: Step) -> int:
        """For how long the worker has not answered, ns: by its own clock and by the server's."""
        offered = job.at(Kind.JOB_OFFERED)
        return case.timeline.now - max(received.time, offered.time if offered else received.time)

    def doubt(self, case: Call) -> str | None:
        return f"{INSTRUMENT} “assignment for job … timed out”" if _untold(case) else None


class ProcessFailed(Cause):
    """A job without a process."""

    name = "process-failed"
    symptom = Symptom.MISSING
    about = "no process came up for the job"
    advice = "Mend setup_fnc; what takes long there must be done within initialize_process_timeout (10 s by default)."

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.failed_jobs:
            if job.at(Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTING, Kind.JOB_TIMED_OUT):
                continue
            failed = job.at(Kind.PROCESS_FAILED)
            if failed and keys.EXIT_CODE in failed.facts:
                continue  # one came up, and had the job
            accepted = job.at(Kind.JOB_ACCEPTED, Kind.JOB_ASSIGNED)
            worker = accepted.facts.get(keys.WORKER_ID) if accepted else None
            of_worker = [
                step
                for one in case.known_workers
                for step in one.steps
                if one.sid == worker and step.kind is Kind.PROCESS_FAILED
                if accepted and accepted.time - TOLD_EVERY <= step.time
            ]
            if failed is None and not (accepted and of_worker and case.timeline.now - accepted.time > PROCESS_BY):
                continue
            reason = next((s for s in (*reversed(of_worker), failed) if s and s.facts.get(keys.ERROR_TYPE)), None)
            what = reason.facts.get(keys.ERROR_MESSAGE) or reason.facts.get(keys.ERROR_TYPE) if reason else None
            yield self.found(
                f"Job {job.sid} was accepted, and no process came up for it" + (f": {what}." if what else "."),
                accepted,
                failed,
                reason,
            )

    def doubt(self, case: Call) -> str | None:
        running = [job for job in case.failed_jobs if not case.told_by_agent(job) and job.status == "JS_RUNNING"]
        return f"{INSTRUMENT} “error initializing process”" if running else None


class RaisedBeforeConnect(Cause):
    """The server believes that such a job runs, for ever."""

    name = "raised-before-connect"
    symptom = Symptom.MISSING
    about = "the entrypoint raised before it connected"
    advice = "Mend the entrypoint; the server goes on saying JS_RUNNING of such a job, and tells nobody."

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.failed_jobs:
            started, ended = job.at(Kind.JOB_ENTRYPOINT_STARTED), job.at(Kind.JOB_ENDED)
            if not started or job.at(Kind.AGENT_CONNECTING, Kind.PROCESS_FAILED):
                continue
            if ended and (error := ended.facts.get(keys.ERROR_TYPE)):
                text = ended.facts.get(keys.ERROR_MESSAGE)
                yield self.found(
                    f"The entrypoint of job {job.sid} raised {error}{f': {text}' if text else ''}, before"
                    " ctx.connect().",
                    started,
                    ended,
                )

    def doubt(self, case: Call) -> str | None:
        return f"{INSTRUMENT} “unhandled exception while running the job task”" if _running_untold(case) else None


def _running_untold(case: Call) -> bool:
    """Whether a job is said to run of which nothing else is known."""
    return any(not case.told_by_agent(job) and job.status == "JS_RUNNING" for job in case.failed_jobs)


class NeverConnected(Cause):
    """Without connect(), nobody joins."""

    name = "never-connected"
    symptom = Symptom.MISSING
    about = "the entrypoint never called ctx.connect()"
    advice = "Call await ctx.connect(), or session.start(room=ctx.room), on every path through the entrypoint."

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.failed_jobs:
            started = job.at(Kind.JOB_ENTRYPOINT_STARTED)
            if not started or job.at(Kind.AGENT_CONNECTING, Kind.PROCESS_FAILED):
                continue
            ended = job.at(Kind.JOB_ENDED)
            if ended and ended.facts.get(keys.ERROR_TYPE):
                continue
            returned = job.at(Kind.JOB_ENTRYPOINT_RETURNED)
            own = job.at(Kind.JOB_SHUTDOWN) or ended
            until = own or case.timeline.room.finished
            lasted = (until.time if until else case.timeline.now) - started.time
            if returned:
                took = (returned.time - started.time) / NS_PER_MS
                yield self.found(
                    f"The entrypoint of job {job.sid} returned after {took:.0f} ms without ctx.connect().",
                    started,
                    returned,
                )
            elif lasted > CONNECT_BY or (until and lasted > NS_PER_S):
                yield self.found(
                    f"The entrypoint of job {job.sid} ran for {lasted / NS_PER_S:.1f} s without ctx.connect().",
                    started,
                    until,
                    # Else it may have been about to, or be gone.
                    certain=own is not None and lasted > CONNECT_BY and case.timeline.lost(job) is None,
                )

    def doubt(self, case: Call) -> str | None:
        return (
            f"{INSTRUMENT} “The room connection was not established within 10 seconds”"
            if _running_untold(case)
            else None
        )


class ConnectFailed(Cause):
    """The agent got its job and could not reach the room."""

    name = "connect-failed"
    symptom = Symptom.MISSING
    about = "the agent could not connect to the room"
    advice = (
        "See whether the agent's machine reaches LIVEKIT_URL and the server's media ports (rtc.tcp_port, rtc.udp_port,"
        " node_ip); the error says which failed."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.timeline.jobs:
            connecting = job.at(Kind.AGENT_CONNECTING)
            if not connecting or job.at(Kind.AGENT_CONNECTED):
                continue
            agent = case.agent_of.get(job.sid)
            aborted = agent.at(Kind.PARTICIPANT_ABORTED) if agent else None
            active = agent.at(Kind.PARTICIPANT_ACTIVE) if agent else None
            error = connecting.facts.get(keys.ERROR_TYPE)
            text = connecting.facts.get(keys.ERROR_MESSAGE)
            if self._over(case, connecting, aborted or job.at(Kind.JOB_ENDED)):
                continue
            if error:
                told = f"failed: {error}{f': {text}' if text else ''}"
            elif aborted:
                told = "got no media path: the server gave it up"
            elif not active and case.timeline.lost(job) is None and case.end - connecting.time > CONNECTED_BY:
                told = f"has not returned for {(case.end - connecting.time) / NS_PER_S:.0f} s"
            else:
                continue
            yield self.found(
                f"ctx.connect() of job {job.sid} {told}.",
                connecting,
                aborted,
                job.at(Kind.JOB_ENDED),
                certain=bool(error or aborted),
            )
        connects = {a.sid for job in case.timeline.jobs if _connects(job) and (a := case.agent_of.get(job.sid))}
        known = {agent.sid for agent in case.agent_of.values()}
        there = {agent.identity for agent in case.agents if agent.at(Kind.PARTICIPANT_ACTIVE)}
        for agent in case.agents:
            aborted = agent.at(Kind.PARTICIPANT_ABORTED)
            of_job = agent.sid in known or str(agent.identity).startswith("agent-AJ_")
            if agent.sid in connects or agent.is_avatar or (there and not of_job) or agent.identity in there:
                continue  # an agent came; this one is its avatar, or was its first try
            if aborted and not self._over(case, agent.at(Kind.PARTICIPANT_JOINING), aborted):
                yield self.found(
                    f"{case.who(agent)} joined and got no media path: the server gave it up.",
                    agent.at(Kind.PARTICIPANT_JOINING),
                    aborted,
                )

    @staticmethod
    def _over(case: Call, began: Step | None, failed: Step | None) -> bool:
        """Whether it failed because the room ended: at once, and not after it was tried for long."""
        if failed is None or began is None or failed.time - began.time > TRIED_FOR:
            return False
        finished = case.timeline.room.finished
        reason = failed.facts.get(keys.DISCONNECT_REASON)
        ended = finished is not None and failed.time > finished.time - SOON
        return reason in ("ROOM_DELETED", "ROOM_CLOSED", "PARTICIPANT_REMOVED") or ended


def _connects(job: Job) -> bool:
    return job.at(Kind.AGENT_CONNECTING) is not None


MISSING = (
    NoWorker(),
    WorkerIsNamed(),
    RoomExisted(),
    WorkerIsUnnamed(),
    LateWorker(),
    WorkersFull(),
    WorkerDraining(),
    SlowRequest(),
    Rejected(),
    RequestRaised(),
    RequestUnanswered(),
    ProcessFailed(),
    RaisedBeforeConnect(),
    NeverConnected(),
    ConnectFailed(),
    WorkerNotAsked(),
)
"""Its causes, the commonest first."""
