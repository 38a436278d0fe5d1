"""What to do, in the words of the agent's language: options, functions and log lines of Python, and Node's.

Causes are worded for livekit-agents in Python. Where the agent is one in Node, what is here replaces it, in one place.
Source: @livekit/agents 1.9.0, worker.ts, job.ts, job_lifecycle.ts, voice/room_io/room_io.ts, telemetry/loop_monitor.ts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.timeline.entities import Job
from tracer.timeline.reporting import is_reported

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.timeline.timeline import Timeline
    from tracer.why.cause import Doubt, Finding

__all__ = ["doubt_in_words_of", "finding_in_words_of", "in_node", "in_words_of"]

_WORDS = (
    ("instrument the worker (tracer.instrument), or look in its log", "look in the log of its worker"),
    ("(tracer.instrument)", "(its OpenTelemetry spans)"),
    ("“unhandled exception while running the job task”", "“error in entry function”"),
    ("“The room connection was not established within 10 seconds”", "“room not connect after job_entry was called”"),
    ("job_request_fnc", "jobRequestFunc"),
    ("request_fnc", "requestFunc"),
    ("setup_fnc", "prewarm"),
    ("load_fnc", "loadFunc"),
    ("load_threshold", "loadThreshold"),
    ("num_idle_processes", "numIdleProcesses"),
    ("drain_timeout", "drainTimeout"),
    ("initialize_process_timeout", "initializeProcessTimeout"),
    ("job_memory_limit_mb", "jobMemoryLimitMB"),
    ("close_on_disconnect=False in RoomOptions", "closeOnDisconnect: false in inputOptions"),
    ("close_on_disconnect=False", "closeOnDisconnect: false"),
    ("close_on_disconnect in RoomOptions", "closeOnDisconnect in inputOptions"),
    ("close_on_disconnect", "closeOnDisconnect"),
    ("delete_room_on_close=True", "deleteRoomOnClose: true"),
    ("delete_room_on_close", "deleteRoomOnClose"),
    ("ctx.delete_room()", "ctx.deleteRoom()"),
    ("participant_identity in room_options", "participantIdentity in inputOptions"),
    ("participant_kinds in room_options", "participantKinds in inputOptions"),
    ("wait_for_participant(identity=…)", "waitForParticipant(identity)"),
    ("wait_for_participant(kind=…)", "participantKinds in inputOptions"),
    ("wait_for_participant", "waitForParticipant"),
    ("session.start(room=ctx.room)", "session.start({ room: ctx.room })"),
    ("reject(terminate=False)", "reject()"),
    ("has its stack (lk.blocking.stack)", "tells whether code or the machine did it (lk.blocking.cause)"),
    ("run it in a thread (await asyncio.to_thread(…))", "run it in a worker thread (node:worker_threads)"),
    ("(asyncio.wait_for)", "(Promise.race)"),
    ("asyncio.timeout(…)", "AbortSignal.timeout(…)"),
    ("(asyncio.gather)", "(Promise.all)"),
)
"""In Python and in Node; what holds another is before it."""


def in_node(text: str) -> str:
    """A text in the words of an agent in Node."""
    for python, node in _WORDS:
        text = text.replace(python, node)
    return text


def finding_in_words_of(timeline: Timeline, finding: Finding) -> Finding:
    """The finding, its sentence and what to do in the words of the agent that it is about."""
    subjects = [timeline.by_sid.get(step.subject) for step in finding.evidence]
    jobs = [one for one in subjects if isinstance(one, Job)] or list(timeline.jobs)
    if not _all_in_node(jobs):
        return finding
    return replace(finding, sentence=in_node(finding.sentence), advice=in_node(finding.advice))


def doubt_in_words_of(timeline: Timeline, doubt: Doubt) -> Doubt:
    """The doubt, with how to find out in the words of the room's agents."""
    return replace(doubt, how=in_words_of(timeline, doubt.how))


def in_words_of(timeline: Timeline, text: str) -> str:
    """A text in the words of the room's agents."""
    return in_node(text) if _all_in_node(timeline.jobs) else text


def _all_in_node(jobs: Iterable[Job]) -> bool:
    """Whether agents of these jobs reported anything, and each that did is one in Node."""
    reported = [job for job in jobs if is_reported(job)]
    return bool(reported) and all(job.is_node for job in reported)
