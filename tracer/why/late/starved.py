"""The agent's machine had no CPU to spare."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["StarvedMachine", "starved"]

PROCESS = 3 * NS_PER_S
"""A process that a job waits for starts within this, ns, without its setup_fnc, where there is CPU to spare."""
HANDED_OVER = 200 * NS_PER_MS
"""From a process to its entrypoint no code but livekit-agents' own runs: 5 ms, ns."""
JOINING = NS_PER_S
"""From ctx.connect() to JOINING it is signalling only, without media: 0.05 s where the server is near, ns."""
NOTICEABLE = 3 * NS_PER_S
"""The sum of all signs, ns, below which a caller hardly notices."""
NOTHING, CODE, NETWORK = "", "code", "network"
"""What else explains a sign: imports and code that blocks, or the network."""


class Sign(NamedTuple):
    """Something that took longer than it does on a machine with CPU to spare."""

    what: str
    took: int
    """ns."""
    start: Step
    end: Step
    otherwise: str
    """What else explains it: NOTHING, CODE or NETWORK."""


class StarvedMachine(Cause):
    """Everything is slow at once: a process starts, takes its job, connects, and its event loop stands still.

    Known from signs in one job's start that have different explanations one by one: its process took more than 3 s to
    start (imports), its entrypoint more than 0.2 s to be called (nothing else), more than 1 s passed from
    ``ctx.connect()`` to JOINING (the network), its event loop was blocked (the agent's code). Certain where one has no
    other explanation and another one is there; likely where the network is the only other explanation.
    """

    name = "starved-machine"
    symptom = Symptom.LATE
    about = "the machine that runs the agent had no CPU to spare"
    advice = (
        "Give the machine more CPU, or fewer jobs and idle processes (load_threshold, num_idle_processes), and look at"
        " what else ran on it at that time. Code that blocks the event loop (time.sleep, loading a model) looks the"
        " same: run it in setup_fnc or in a thread."
    )
    said = (
        agents("telemetry/loop_monitor.py"),
        Page.OPTIONS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            seen = starved(call, job)
            if not seen or call.callers.none_before(max(sign.end.latest for sign in seen)):
                continue
            listed = ", ".join(sign.what for sign in seen)
            yield self.found(
                f"While job {job.sid} started, several things were slow at once: {listed}.",
                *(step for sign in seen for step in (sign.start, sign.end)),
                certain=not all(sign.otherwise for sign in seen),
            )


def starved(call: Call, job: Job) -> list[Sign]:
    """The signs of a machine without CPU to spare while a job started; empty where they are too few to say so."""
    seen = list(_signs(call, job))
    others = {sign.otherwise for sign in seen}
    enough = len(seen) > 1 and sum(sign.took for sign in seen) > NOTICEABLE
    return seen if enough and others != {CODE} else []


def _signs(call: Call, job: Job) -> Iterator[Sign]:
    assigned, process = job.at(Kind.JOB_ASSIGNED), job.at(Kind.JOB_PROCESS_ASSIGNED)
    entered, connecting = job.at(Kind.JOB_ENTRYPOINT_STARTED), job.at(Kind.AGENT_CONNECTING)
    began, ready = job.at(Kind.PROCESS_STARTED), job.at(Kind.PROCESS_READY)
    agent = call.agents.of(job)
    joining = agent.at(Kind.PARTICIPANT_JOINING) if agent else None
    if assigned and process:
        setup = ready.time - began.time if began and ready else 0
        took = process.time - assigned.time - setup
        if took > PROCESS:
            yield Sign(f"its process took {took / NS_PER_S:.1f} s to start", took, assigned, process, CODE)
    if process and entered and entered.time - process.time > HANDED_OVER:
        took = entered.time - process.time
        yield Sign(f"{took / NS_PER_S:.1f} s passed until its entrypoint was called", took, process, entered, NOTHING)
    if connecting and joining and joining.earliest - connecting.latest > JOINING:
        took = joining.earliest - connecting.latest
        yield Sign(f"{took / NS_PER_S:.1f} s from ctx.connect() to JOINING", took, connecting, joining, NETWORK)
    blocked = list(_blocked(job))
    if blocked:
        total = sum(float(step.facts.get(keys.BLOCKED_FOR, 0)) for step in blocked)
        took = round(total * NS_PER_S)
        yield Sign(f"its event loop stood still for {total:.1f} s", took, blocked[0], blocked[-1], CODE)


def _blocked(job: Job) -> Iterator[Step]:
    """When its event loop stood still between its entrypoint and its session's start, or its being connected."""
    entered = job.at(Kind.JOB_ENTRYPOINT_STARTED)
    end = job.at(Kind.SESSION_STARTED) or job.at(Kind.AGENT_CONNECTED)
    for step in job.steps:
        within = entered and end and entered.time <= step.time <= end.time
        if step.kind is Kind.AGENT_BLOCKED and within and isinstance(step.facts.get(keys.BLOCKED_FOR), int | float):
            yield step
