"""Every cause made for real: the call is played, its evidence looked for, and `why` asked for its first answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from livekit.api import LiveKitAPI

from tests.assistant.asking import first_causes_in
from tests.learn.orders import assert_as_taught
from tracer import keys
from tracer.demo.failures import FAILURES
from tracer.demo.play import Play
from tracer.demo.scenarios import SCENARIOS
from tracer.demo.stage import Stage
from tracer.moment import Kind
from tracer.units import NS_PER_S
from tracer.why import explain
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracer.demo.scenario import Scenario
    from tracer.local_servers import LiveKitServer
    from tracer.moment import Fact
    from tracer.settings import LiveKit
    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.why.cause import Finding

MADE = [*FAILURES.values(), *(scenario for scenario in SCENARIOS.values() if scenario.cause)]


async def played(stage: Stage, scenario: Scenario, server: LiveKit, room: str) -> Timeline:
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        play = Play(stage, server, livekit, room, lambda _: None)
        for worker in scenario.workers:
            play.start(worker)
        await scenario.play(play)
        return await play.ended()


@pytest.mark.parametrize("scenario", MADE, ids=lambda scenario: scenario.name)
def test_why_names_the_cause_that_was_made(
    scenario: Scenario, livekit: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    findings, recorded = explained(scenario, livekit, webhook_port, tmp_path / "1")
    if findings[0].cause.symptom is Symptom.LATE and findings[0].cause.name != scenario.cause:
        # A busy machine is a true cause of its own, and not the one that was made.
        findings, recorded = explained(scenario, livekit, webhook_port, tmp_path / "2")
    assert findings[0].cause.name == scenario.cause, "\n".join([*(found.sentence for found in findings), recorded])


def explained(
    scenario: Scenario, livekit: LiveKitServer, webhook_port: int, folder: Path
) -> tuple[tuple[Finding, ...], str]:
    """What `why` finds in a call that is played, and all that was recorded of it."""
    folder.mkdir()
    with Stage(folder, folder / "t.db", webhook_port, lost=scenario.lost) as stage:
        stage.serve(livekit.settings)
        timeline = asyncio.run(played(stage, scenario, livekit.settings, f"failure-{scenario.name}-{folder.name}"))
    recorded = "\n".join(f"{step.kind} {step.subject} {dict(step.facts)}" for step in everything(timeline))
    assert EVIDENCE[scenario.name](timeline), recorded
    assert_as_taught(scenario, timeline)
    findings = explain(timeline).findings
    assert findings, recorded
    asked = asyncio.run(first_causes_in(folder / "t.db"))
    assert asked[timeline.room.sid] == findings[0].cause.name, "an assistant is told another"
    return findings, recorded


def test_the_evidence_of_every_scenario_is_looked_for() -> None:
    assert set(EVIDENCE) == {scenario.name for scenario in MADE}


def everything(timeline: Timeline) -> list[Step]:
    return [*timeline.steps, *(step for worker in timeline.workers for step in worker.steps)]


def told(timeline: Timeline, kind: Kind, **facts: Fact) -> bool:
    """Whether there is a step of this kind, with these facts under the names that ``keys`` has for them."""
    wanted = {str(getattr(keys, name.upper())): fact for name, fact in facts.items()}
    return any(
        step.kind is kind and all(step.facts.get(key) == fact for key, fact in wanted.items())
        for step in everything(timeline)
    )


def unanswered(agent_name: str) -> Callable[[Timeline], bool]:
    """There is a dispatch for this name, and no job for any."""
    return lambda timeline: agent_name in {d.agent_name for d in timeline.dispatches} and not timeline.jobs


def refused(answer: str) -> Callable[[Timeline], bool]:
    return lambda timeline: told(timeline, Kind.JOB_REJECTED, job_answer=answer) and not agents(timeline)


def took(first: Kind, last: Kind, seconds: float) -> Callable[[Timeline], bool]:
    """The first job needed longer than this from one step to another."""

    def longer(timeline: Timeline) -> bool:
        start, end = (timeline.jobs[0].at(kind) for kind in (first, last))
        return bool(start and end and end.time - start.time > seconds * NS_PER_S)

    return longer


def left(timeline: Timeline, reason: str, *, agent: bool = False) -> bool:
    return any(p.disconnect_reason == reason and p.is_agent is agent for p in timeline.participants)


def agents(timeline: Timeline) -> list[Participant]:
    return [p for p in timeline.participants if p.is_agent]


def callers(timeline: Timeline) -> list[Participant]:
    return [p for p in timeline.participants if not p.is_agent]


def names_of_jobs(timeline: Timeline) -> list[str]:
    return sorted(job.agent_name or "" for job in timeline.jobs)


def dispatched(timeline: Timeline) -> Step:
    created = timeline.dispatches[0].at(Kind.DISPATCH_CREATED)
    assert created
    return created


def _caller_was_silent_to(timeline: Timeline) -> bool:
    """Whom the session listened to published nothing, and somebody else did."""
    linked = next(step.facts.get(keys.LINKED_ID) for step in timeline.steps if step.kind is Kind.SESSION_STARTING)
    publishers = {track.participant for track in timeline.tracks}
    return linked not in publishers and any(who.sid in publishers for who in callers(timeline))


def _the_agent_is_in_another_room(timeline: Timeline) -> bool:
    connected, finished = timeline.jobs[0].at(Kind.AGENT_CONNECTED), timeline.room.finished
    return bool(connected and finished and connected.time > finished.time and not agents(timeline))


def _rejoined(timeline: Timeline) -> bool:
    _, again = callers(timeline)
    joined, gone = again.at(Kind.PARTICIPANT_JOINING), agents(timeline)[0].gone
    return bool(joined and gone and len(timeline.jobs) == 1 and joined.latest > gone.earliest)


def _only_the_api_saw_it(timeline: Timeline) -> bool:
    active = [step for step in timeline.steps if step.kind is Kind.PARTICIPANT_ACTIVE]
    finished = timeline.room.finished
    return all(s.witnesses == ("observer",) for s in active) and "webhook" in (finished.witnesses if finished else ())


EVIDENCE: dict[str, Callable[[Timeline], bool]] = {
    "wrong-name": unanswered("Helper"),
    "no-worker": lambda timeline: unanswered("")(timeline) and not timeline.workers,
    "named-worker": unanswered(""),
    "token-existing-room": lambda timeline: unanswered("")(timeline) and timeline.created_by == "api",
    "unnamed-worker": unanswered("helper"),
    "late-worker": lambda timeline: (
        unanswered("")(timeline) and timeline.workers[0].steps[0].time > dispatched(timeline).time
    ),
    "draining-worker": lambda timeline: (
        unanswered("")(timeline) and timeline.workers[0].standing(dispatched(timeline).time) is Kind.WORKER_DRAINING
    ),
    "killed-worker": lambda timeline: (
        unanswered("")(timeline) and timeline.workers[0].standing(dispatched(timeline).time) is Kind.WORKER_REGISTERED
    ),
    "slow-request": took(Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED, 3),
    "full-worker": lambda timeline: (
        unanswered("")(timeline) and timeline.workers[0].standing(dispatched(timeline).time) is Kind.WORKER_FULL
    ),
    "burst": lambda timeline: refused("full")(timeline) or told(timeline, Kind.WORKER_FULL, worker_jobs=0),
    "busy-machine": lambda timeline: unanswered("")(timeline) and told(timeline, Kind.WORKER_LOAD, worker_load=0.85),
    "worker-cut-off": lambda timeline: (
        unanswered("")(timeline) and timeline.workers[0].standing(dispatched(timeline).time) is Kind.WORKER_DISCONNECTED
    ),
    "frozen-worker": took(Kind.JOB_OFFERED, Kind.JOB_RECEIVED, 3),
    "other-deployment": lambda timeline: (
        unanswered("")(timeline) and told(timeline, Kind.WORKER_REGISTERED, deployment="staging")
    ),
    "reject": refused("rejected"),
    "raise-in-request": refused("raised"),
    "raise-in-load": refused("load_raised"),
    "no-answer": refused("unanswered"),
    "prewarm-failure": lambda timeline: (
        timeline.jobs[0].at(Kind.PROCESS_FAILED) is not None and told(timeline, Kind.PROCESS_FAILED, exit_code=0)
    ),
    "raise-before-connect": lambda timeline: (
        told(timeline, Kind.JOB_ENDED, error_type="KeyError") and not told(timeline, Kind.AGENT_CONNECTING)
    ),
    "never-connects": lambda timeline: (
        told(timeline, Kind.JOB_ENTRYPOINT_RETURNED) and not told(timeline, Kind.AGENT_CONNECTING)
    ),
    "hangs-before-connect": lambda timeline: (
        told(timeline, Kind.JOB_ENTRYPOINT_STARTED)
        and not told(timeline, Kind.JOB_ENTRYPOINT_RETURNED)
        and not told(timeline, Kind.AGENT_CONNECTING)
    ),
    "connect-failed": lambda timeline: (
        told(timeline, Kind.AGENT_CONNECTING, error_type="ConnectError") and not told(timeline, Kind.AGENT_CONNECTED)
    ),
    "asked-again": lambda timeline: [bool(dispatch.jobs) for dispatch in timeline.dispatches] == [False, True],
    "cold-process": took(Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, 2),
    "slow-answer": took(Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED, 1.5),
    "slow-offer": took(Kind.JOB_OFFERED, Kind.JOB_RECEIVED, 1),
    "slow-connect": took(Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED, 3),
    "slow-code": took(Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTING, 3),
    "slow-session": took(Kind.SESSION_STARTING, Kind.SESSION_STARTED, 4),
    "two-dispatches": lambda timeline: (
        names_of_jobs(timeline) == ["helper", "helper"] and len(agents(timeline)) == len(timeline.dispatches) == 2
    ),
    "default-and-named": lambda timeline: names_of_jobs(timeline) == ["", "helper"] and len(agents(timeline)) == 2,
    "stranger": lambda timeline: (
        timeline.jobs[0].worker_id not in {None, *(worker.sid for worker in timeline.workers)}
        and {worker.agent_name for worker in timeline.workers} == {"helper"}
    ),
    "session-closed": took(Kind.SESSION_CLOSED, Kind.JOB_SHUTDOWN, 3),
    "reload": took(Kind.SESSION_CLOSED, Kind.JOB_SHUTDOWN, 3),
    "model-failed": lambda timeline: told(timeline, Kind.MODEL_FAILED, span_name="llm_node"),
    "model-silent": lambda timeline: (
        told(timeline, Kind.MODEL_GAVE_NO_ANSWER) and not told(timeline, Kind.AGENT_SPEAKING)
    ),
    "own-code-hangs": lambda timeline: told(
        timeline, Kind.AGENT_CODE_BEGAN, span_name="function_tool", tool_name="look_up"
    ),
    "exits-in-call": lambda timeline: told(timeline, Kind.JOB_ENDED) and not told(timeline, Kind.JOB_SHUTDOWN),
    "on-enter-raised": lambda timeline: told(timeline, Kind.MODEL_FAILED, span_name="on_enter", error_type="KeyError"),
    "session-task-ended": lambda timeline: told(
        timeline, Kind.SESSION_TASK_ENDED, task="stt_node", error_type="FileNotFoundError"
    ),
    "own-task-raised": lambda timeline: (
        told(timeline, Kind.AGENT_TASK_RAISED, error_type="KeyError") and not told(timeline, Kind.AGENT_SPEAKING)
    ),
    "event-loop-blocked": lambda timeline: told(timeline, Kind.AGENT_BLOCKED),
    "no-session": lambda timeline: (
        told(timeline, Kind.AGENT_PARTICIPANT_READY) and not told(timeline, Kind.SESSION_STARTING)
    ),
    "linked-to-another": _caller_was_silent_to,
    "missing-permission": lambda timeline: (
        told(timeline, Kind.PARTICIPANT_ACTIVE, participant_identity="ada", can_publish=False)
        and told(timeline, Kind.SESSION_WAITING_FOR_AUDIO)
        and not told(timeline, Kind.SESSION_AUDIO_RECEIVED)
    ),
    "permission-taken-away": lambda timeline: (
        told(timeline, Kind.SESSION_AUDIO_RECEIVED)
        and told(timeline, Kind.PARTICIPANT_PERMISSIONS_CHANGED, can_publish=False)
        and told(timeline, Kind.TRACK_UNPUBLISHED, track_source="MICROPHONE")
    ),
    "agent-unsubscribed": lambda timeline: (
        told(timeline, Kind.SESSION_AUDIO_RECEIVED)
        and told(timeline, Kind.TRACK_UNSUBSCRIBED, track_source="MICROPHONE")
        and not told(timeline, Kind.TRACK_SUBSCRIBED)
    ),
    "backend-unsubscribes": lambda timeline: (
        told(timeline, Kind.TRACK_UNSUBSCRIBED, track_source="MICROPHONE") and not told(timeline, Kind.TRACK_SUBSCRIBED)
    ),
    "encryption-differs": lambda timeline: (
        told(timeline, Kind.TRACK_PUBLISHED, track_encryption="GCM") and told(timeline, Kind.SESSION_AUDIO_PUBLISHED)
    ),
    "room-expired": lambda timeline: (
        unanswered("")(timeline) and timeline.earlier is not None and bool(timeline.earlier.dispatches)
    ),
    "caller-hidden": lambda timeline: (
        told(timeline, Kind.PARTICIPANT_ACTIVE, participant_identity="ada", hidden=True)
        and told(timeline, Kind.TRACK_PUBLISHED, track_source="MICROPHONE")
        and not told(timeline, Kind.AGENT_PARTICIPANT_READY)
    ),
    "agent-hidden": lambda timeline: told(timeline, Kind.PARTICIPANT_ACTIVE, participant_kind="AGENT", hidden=True),
    "caller-not-heard": lambda timeline: (
        told(timeline, Kind.AGENT_CONNECTED, auto_subscribe="subscribe_none")
        and not told(timeline, Kind.SESSION_AUDIO_RECEIVED)
    ),
    "agent-has-no-voice": lambda timeline: told(timeline, Kind.SESSION_AUDIO_FAILED),
    "agent-muted": lambda timeline: told(timeline, Kind.TRACK_MUTED) and not told(timeline, Kind.TRACK_UNMUTED),
    "spoke-while-ringing": lambda timeline: (
        told(timeline, Kind.AGENT_SPEAKING) and told(timeline, Kind.PARTICIPANT_ATTRIBUTES_CHANGED)
    ),
    "agent-speaks-silence": lambda timeline: (
        told(timeline, Kind.AGENT_SPEAKS_SILENCE) and told(timeline, Kind.SESSION_AUDIO_PUBLISHED)
    ),
    "waited-for-another": lambda timeline: (
        told(timeline, Kind.AGENT_WAITING_FOR_PARTICIPANT, participant_filter=True)
        and told(timeline, Kind.AGENT_WAIT_ENDED)
    ),
    "linked-to-nobody": lambda timeline: (
        told(timeline, Kind.SESSION_UNLINKED) and len([s for s in timeline.steps if s.kind is Kind.SESSION_LINKED]) == 1
    ),
    "peer-never-active": lambda timeline: (
        callers(timeline)[0].at(Kind.PARTICIPANT_ABORTED) is not None
        and not callers(timeline)[0].at(Kind.PARTICIPANT_ACTIVE)
        and told(timeline, Kind.AGENT_WAITING_FOR_PARTICIPANT)
        and not told(timeline, Kind.AGENT_PARTICIPANT_READY)
    ),
    "raise-after-connect": lambda timeline: (
        told(timeline, Kind.JOB_ENDED, error_type="KeyError")
        and took(Kind.AGENT_CONNECTED, Kind.JOB_ENDED, 1)(timeline)
    ),
    "killed": lambda timeline: told(timeline, Kind.PROCESS_FAILED, exit_code=-9, killed=False),
    "out-of-memory": lambda timeline: told(timeline, Kind.PROCESS_FAILED, killed=True),
    "host-gone": lambda timeline: (
        timeline.lost(timeline.jobs[0]) is not None and not told(timeline, Kind.PROCESS_FAILED)
    ),
    "deploy": lambda timeline: (
        told(timeline, Kind.WORKER_DRAINING) and took(Kind.JOB_SHUTDOWN, Kind.JOB_ENDED, 0)(timeline)
    ),
    "caller-away": lambda timeline: left(timeline, "CONNECTION_TIMEOUT") and timeline.later is not None,
    "rejoin": _rejoined,
    "removed": lambda timeline: left(timeline, "PARTICIPANT_REMOVED", agent=True),
    "caller-removed": lambda timeline: left(timeline, "PARTICIPANT_REMOVED"),
    "deleted": lambda timeline: left(timeline, "ROOM_DELETED") and timeline.end_reason == "deleted",
    "agent-deleted-room": lambda timeline: (
        left(timeline, "ROOM_DELETED") and told(timeline, Kind.JOB_SHUTDOWN, shutdown_by_user=True)
    ),
    "dispatch-deleted": lambda timeline: (
        left(timeline, "CLIENT_INITIATED", agent=True) and told(timeline, Kind.JOB_SHUTDOWN, shutdown_by_user=False)
    ),
    "agent-left-caller": lambda timeline: (
        left(timeline, "CLIENT_INITIATED", agent=True) and told(timeline, Kind.JOB_SHUTDOWN, shutdown_by_user=True)
    ),
    "ghost-room": _the_agent_is_in_another_room,
    "lost-webhooks": _only_the_api_saw_it,
    "duplicate-identity": lambda timeline: left(timeline, "DUPLICATE_IDENTITY"),
    "one-identity": lambda timeline: (
        left(timeline, "DUPLICATE_IDENTITY", agent=True)
        and {agent.identity for agent in agents(timeline)} == {"my-agent"}
    ),
    "connects-twice": lambda timeline: (
        len(timeline.jobs) == 1 and len(agents(timeline)) == 2 and told(timeline, Kind.PARTICIPANT_ABORTED)
    ),
    "two-job-types": lambda timeline: len(timeline.dispatches) == 1 and len(agents(timeline)) == 2,
    "earlier-room": lambda timeline: timeline.earlier is not None and len(agents(timeline)) == 2,
    "late-stranger": lambda timeline: any(
        (joining := agent.at(Kind.PARTICIPANT_JOINING)) and joining.time - dispatched(timeline).time > 7 * NS_PER_S
        for agent in agents(timeline)
    ),
    "agent-cut-off": lambda timeline: told(timeline, Kind.AGENT_RECONNECTING),
    "slow-shutdown": lambda timeline: (
        told(timeline, Kind.PROCESS_FAILED, killed=True) and took(Kind.JOB_SHUTDOWN, Kind.PROCESS_FAILED, 2)(timeline)
    ),
    "silent-caller": lambda timeline: not [t for t in timeline.tracks if t.participant == callers(timeline)[0].sid],
}
"""For each scenario what must be in the record, whatever `why` makes of it."""
