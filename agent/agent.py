"""An agent that waits for its caller and greets them by what it knows of them. Copy it and make it yours.

    python agent.py start

needs LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET, in the environment or in .env.
"""

import os

from dotenv import find_dotenv, load_dotenv
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli

import tracer

load_dotenv(find_dotenv(usecwd=True))

server = AgentServer(host="127.0.0.1", port=int(os.environ.get("AGENT_PORT", "8081")))
tracer.instrument(server)


@server.rtc_session()
async def entrypoint(ctx: JobContext) -> None:
    """Connect, wait for the caller, and only then decide what to say."""
    await ctx.connect()
    caller = await ctx.wait_for_participant()
    instructions = f"You help {caller.name or caller.identity} on the phone."
    for key, value in caller.attributes.items():
        instructions += f" Their {key} is {value}."
    session = AgentSession[None]()
    await session.start(agent=Agent(instructions=instructions), room=ctx.room)


if __name__ == "__main__":
    cli.run_app(server)
