"""An agent that nobody has instrumented: the one forgotten on a laptop."""

import asyncio
import os

from livekit.agents import AgentServer, JobContext, cli

server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), num_idle_processes=1)


@server.rtc_session(agent_name=os.environ.get("AGENT_NAME", ""))
async def entrypoint(ctx: JobContext) -> None:
    """Be in the room, after so many seconds."""
    await asyncio.sleep(float(os.environ.get("SECONDS_BEFORE", "0")))
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
