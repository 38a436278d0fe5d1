"""An agent that is in the room and gives no answer, for a reason which FAULT names."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents import Agent, AgentServer, AgentSession, APIConnectionError, JobContext, cli, llm

import tracer


class Model(llm.LLM[Any]):
    """A model that the agents below do not get as far as to ask."""

    def chat(self, **_: Any) -> llm.LLMStream:
        """Not reached."""
        raise NotImplementedError


class Fails(Agent):
    """Its model's provider is away."""

    async def llm_node(self, *_: object) -> str:
        """Ask it."""
        raise APIConnectionError("the model is away")


class Hangs(Agent):
    """Its model's provider takes the request, and sends nothing."""

    async def llm_node(self, *_: object) -> str:
        """Ask it."""
        await asyncio.Event().wait()
        return ""


class Raises(Agent):
    """It greets the caller by a name that it does not know."""

    async def on_enter(self) -> None:
        """Greet."""
        raise KeyError("name")


async def serve(ctx: JobContext, agent: Agent) -> AgentSession[None]:
    """As it should be: connect, wait for the caller, start the session."""
    await ctx.connect()
    await ctx.wait_for_participant()
    session = AgentSession[None](llm=Model())
    await session.start(agent=agent, room=ctx.room)
    return session


async def fails(ctx: JobContext) -> None:
    """Greet the caller with what the model says."""
    (await serve(ctx, Fails(instructions=""))).generate_reply()


async def hangs(ctx: JobContext) -> None:
    """Greet the caller with what the model says."""
    (await serve(ctx, Hangs(instructions=""))).generate_reply()


async def raises(ctx: JobContext) -> None:
    """Leave the greeting to on_enter."""
    await serve(ctx, Raises(instructions=""))


async def blocks(ctx: JobContext) -> None:
    """Look something up with a library that is not asynchronous."""
    await serve(ctx, Agent(instructions=""))
    await asyncio.sleep(1)
    time.sleep(4)  # noqa: ASYNC251  this is the fault


async def starts_none(ctx: JobContext) -> None:
    """Wait for something that does not come, before the session starts."""
    await ctx.connect()
    await ctx.wait_for_participant()
    await asyncio.Event().wait()


FAULTS: dict[str, Callable[[JobContext], Awaitable[None]]] = {
    "fails": fails,
    "hangs": hangs,
    "raises": raises,
    "blocks": blocks,
    "starts-none": starts_none,
}

server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), num_idle_processes=1)
tracer.instrument(server)
server.rtc_session(FAULTS[os.environ["FAULT"]], agent_name=os.environ.get("AGENT_NAME", ""))

if __name__ == "__main__":
    cli.run_app(server)
