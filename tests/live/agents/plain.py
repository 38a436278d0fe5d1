"""An agent without a line of tracer or of OpenTelemetry."""

import os

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli

server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), num_idle_processes=1, load_fnc=lambda: 0.0)


@server.rtc_session()
async def entrypoint(ctx: JobContext) -> None:
    await ctx.connect()
    await ctx.wait_for_participant()
    session = AgentSession[None]()
    await session.start(agent=Agent(instructions=""), room=ctx.room)


if __name__ == "__main__":
    cli.run_app(server)
