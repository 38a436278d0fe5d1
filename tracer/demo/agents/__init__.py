"""Agents that only a scenario needs; the sample agent is in `agent/`."""

from __future__ import annotations

from pathlib import Path

from tracer.demo.play import DemoWorker

__all__ = ["STRANGER", "faulty", "silent"]

STRANGER = Path(__file__).parent / "stranger.py"
"""An agent that is not instrumented."""


def faulty(fault: str = "", agent_name: str = "", *, drain: int = 2, job_type: str = "ROOM") -> DemoWorker:
    """A worker whose agent has this fault; when stopped, it waits for its jobs for ``drain`` seconds.

    It gets a job for a ROOM, or for each PUBLISHER in it.
    """
    environment = {"FAULT": fault, "DRAIN_TIMEOUT": str(drain), "JOB_TYPE": job_type}
    return DemoWorker(agent_name, Path(__file__).parent / "faulty.py", environment)


def silent(fault: str) -> DemoWorker:
    """A worker whose agent gives no answer, for this reason."""
    return DemoWorker("", Path(__file__).parent / "silent.py", {"FAULT": fault})
