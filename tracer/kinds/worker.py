"""What a worker reports of itself, in whatever room its jobs are."""

from __future__ import annotations

from tracer.kinds.info import KindInfo
from tracer.livekit_sources import Page, agents, server

__all__ = ["WORKER"]

WORKER = {
    "worker.registered": KindInfo(
        phrase="worker registered",
        verb="was registered",
        meaning="A worker connected to the server and was given its id (`AW_…`).",
        cause="An agent program starts, or reconnects to the server.",
        following="The server can offer it jobs.",
        reported={"agent": ""},
        mistake="It is not offered dispatches of before: have it registered before the room is created.",
        said=(
            agents("worker.py"),
            Page.LIFECYCLE,
        ),
    ),
    "worker.available": KindInfo(
        phrase="worker available again",
        verb="was available again",
        meaning="A worker that was full accepts jobs again.",
        cause="Its load fell below its threshold.",
        following="The server can offer it jobs.",
        reported={"agent": ""},
        mistake=(
            "It is not asked all the same while its load is above the server's own limit (`agents.target_load`, 0.7)."
        ),
        said=(
            agents("worker.py"),
            server("pkg/agent/config.go"),
        ),
    ),
    "worker.full": KindInfo(
        phrase="worker full",
        verb="was full",
        meaning="A worker's load reached its threshold (0.7 by default), and it refuses jobs.",
        cause="Its CPU, its running jobs, or jobs it was just offered.",
        following="The server offers jobs to other workers.",
        reported={"agent": ""},
        mistake="An idle worker can be full: each request in flight counts as load until its job runs.",
        said=(
            agents("worker.py"),
            Page.OPTIONS,
        ),
    ),
    "worker.load": KindInfo(
        phrase="worker reports its load",
        verb="reported its load",
        meaning="A worker's load changed. The server offers jobs to no worker above its own limit (0.7).",
        cause="Its CPU, its running jobs, or its load_fnc.",
        following="The server offers it jobs while the load is below the limit.",
        reported={"agent": ""},
        mistake="`load_threshold` does not raise the server's limit (`agents.target_load`).",
        said=(
            agents("worker.py"),
            server("pkg/agent/config.go"),
            server("pkg/service/agentservice.go"),
        ),
    ),
    "worker.offered": KindInfo(
        phrase="worker was offered a job",
        verb="was offered a job",
        meaning="A worker was offered a job, of this room or another: so it was registered, connected and available.",
        cause="The server's offer.",
        following="The worker receives the next one.",
        reported={"agent": "with each job.received"},
        said=(server("pkg/service/agentservice.go"),),
    ),
    "worker.draining": KindInfo(
        phrase="worker draining",
        verb="was draining",
        meaning="A worker finishes its jobs and accepts no new ones.",
        cause="A signal to stop, as in a deploy.",
        following="The worker closes once its jobs have ended.",
        reported={"agent": ""},
        mistake="It waits for its jobs for `drain_timeout` at the most; what stops it may be less patient.",
        said=(
            agents("worker.py"),
            Page.LIFECYCLE,
        ),
    ),
    "worker.disconnected": KindInfo(
        phrase="worker lost its connection",
        verb="lost its connection",
        meaning="A worker's connection to the server broke: it is offered no jobs.",
        cause="The network, a proxy, or a restart of the server.",
        following="It connects again and is registered under another id.",
        reported={"agent": "when it noticed or, from older agents, when it was back"},
        mistake="Dispatches that are made meanwhile are not offered again when it is back.",
        said=(agents("worker.py"),),
    ),
    "worker.closed": KindInfo(
        phrase="worker closed",
        verb="stopped",
        meaning="A worker has stopped; one that is killed does not report it.",
        cause="Its drain is over, or it was stopped.",
        following="Nothing: a worker that starts again has another id.",
        reported={"agent": ""},
        said=(agents("worker.py"),),
    ),
}
"""By slug."""
