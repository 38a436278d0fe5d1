"""An agent for each caller: for one who joins, or for one who publishes a track, as JOB_TYPE says."""

import os
from types import SimpleNamespace
from typing import cast

from livekit.agents import AgentServer, JobContext, WorkerType, cli
from livekit.protocol.agent import JobType

import tracer

server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), num_idle_processes=2)
tracer.instrument(server)

# Of JT_ROOM, JT_PUBLISHER and JT_PARTICIPANT, livekit-agents has a name for the first two only; the server knows all.
TYPE = cast("WorkerType", SimpleNamespace(value=JobType.Value(os.environ.get("JOB_TYPE", "JT_PARTICIPANT"))))


@server.rtc_session(agent_name=os.environ.get("AGENT_NAME", ""), type=TYPE)
async def entrypoint(ctx: JobContext) -> None:
    """Be there while its caller is."""
    await ctx.connect()
    mine = ctx.job.participant.identity

    def gone(participant: object) -> None:
        if getattr(participant, "identity", None) == mine:
            ctx.shutdown("the caller left")

    ctx.room.on("participant_disconnected", gone)


if __name__ == "__main__":
    cli.run_app(server)
