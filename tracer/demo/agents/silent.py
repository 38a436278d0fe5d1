"""An agent that is in the room and gives no answer, for a reason which FAULT names."""

import asyncio
import math
import os
import sys
import time
from array import array
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any

from livekit import rtc
from livekit.agents import (
    NOT_GIVEN,
    Agent,
    AgentServer,
    AgentSession,
    APIConnectionError,
    JobContext,
    cli,
    llm,
    stt,
    tts,
)

import tracer

RATE = 24_000
"""Of the agent's voice, Hz."""


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


class Searches(Agent):
    """Its tool waits for a database that answers when the caller has given up."""

    @llm.function_tool
    async def look_up(self) -> str:
        """Look the caller up."""
        await asyncio.sleep(18)
        return ""

    async def llm_node(self, *_: object) -> AsyncIterator[llm.ChatChunk]:
        """Ask for the tool."""
        call = llm.FunctionToolCall(name="look_up", arguments="{}", call_id="call-1")
        yield llm.ChatChunk(id="1", delta=llm.ChoiceDelta(role="assistant", tool_calls=[call]))


class Deaf(Agent):
    """It is to mend what its STT gives, and looks into a dictionary that is not there."""

    async def stt_node(self, audio: AsyncIterable[rtc.AudioFrame], _: object) -> AsyncIterator[stt.SpeechEvent]:
        """Begin to listen."""
        async for _frame in audio:
            raise FileNotFoundError("names.txt")
        yield stt.SpeechEvent(stt.SpeechEventType.START_OF_SPEECH)


class Whispers(Agent):
    """Its voice is of a provider whose answer it takes for another sample format: all of it is zeros."""

    async def llm_node(self, *_: object) -> str:
        """Greet."""
        return "Hello, how can I help you?"

    async def tts_node(self, text: AsyncIterable[str], _: object) -> AsyncIterator[rtc.AudioFrame]:
        """Give as many frames as the text would take."""
        async for _part in text:
            for _ in range(200):
                yield rtc.AudioFrame.create(RATE, 1, RATE // 100)


class Talks(Agent):
    """It says something, whenever it is asked to: its voice is a tone."""

    async def llm_node(self, *_: object) -> str:
        """Greet."""
        return "Hello, how can I help you?"

    async def tts_node(self, text: AsyncIterable[str], _: object) -> AsyncIterator[rtc.AudioFrame]:
        """A second of it."""
        tone = [round(6000 * math.sin(2 * math.pi * 440 * at / RATE)) for at in range(RATE)]
        async for _part in text:
            yield rtc.AudioFrame(array("h", tone).tobytes(), RATE, 1, RATE)


class Raises(Agent):
    """It greets the caller by a name that it does not know."""

    async def on_enter(self) -> None:
        """Greet."""
        raise KeyError("name")


class Ears(stt.STT[Any]):
    """An STT that the agent above does not get as far as to ask."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))

    async def _recognize_impl(self, *_: object, **__: object) -> stt.SpeechEvent:
        raise NotImplementedError


class Voice(tts.TTS[Any]):
    """A TTS that the agent below does not get as far as to ask."""

    def __init__(self) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE, num_channels=1)

    def synthesize(self, *_: object, **__: object) -> tts.ChunkedStream:
        """Not reached."""
        raise NotImplementedError


async def serve(ctx: JobContext, agent: Agent, ears: stt.STT[Any] | None = None) -> AgentSession[None]:
    """As it should be: connect, wait for the caller, start the session."""
    await ctx.connect()
    await ctx.wait_for_participant()
    session = AgentSession[None](llm=Model(), stt=ears or NOT_GIVEN)
    await session.start(agent=agent, room=ctx.room)
    return session


async def fails(ctx: JobContext) -> None:
    """Greet the caller with what the model says."""
    (await serve(ctx, Fails(instructions=""))).generate_reply()


async def hangs(ctx: JobContext) -> None:
    """Greet the caller with what the model says."""
    (await serve(ctx, Hangs(instructions=""))).generate_reply()


async def searches(ctx: JobContext) -> None:
    """Greet the caller with what is known of them."""
    (await serve(ctx, Searches(instructions=""))).generate_reply()


async def deaf(ctx: JobContext) -> None:
    """Listen to the caller first."""
    await serve(ctx, Deaf(instructions=""), Ears())


async def whispers(ctx: JobContext) -> None:
    """Greet the caller with what the model says."""
    (await serve(ctx, Whispers(instructions=""))).generate_reply()


async def greets(ctx: JobContext) -> None:
    """Greet whoever is there, also one whose telephone rings."""
    (await serve(ctx, Talks(instructions=""))).generate_reply()


async def talks(ctx: JobContext) -> None:
    """Say something every two seconds, as one does whose caller speaks."""
    session = await serve(ctx, Talks(instructions=""))
    while ctx.room.remote_participants:
        session.generate_reply()
        await asyncio.sleep(2)


async def raises(ctx: JobContext) -> None:
    """Leave the greeting to on_enter."""
    await serve(ctx, Raises(instructions=""))


async def forgets_its_task(ctx: JobContext) -> None:
    """Greet the caller in a task of its own, by a name that is looked up in a dictionary without it."""
    await ctx.connect()
    await ctx.wait_for_participant()
    session = AgentSession[None](llm=Model(), tts=Voice())
    await session.start(agent=Agent(instructions=""), room=ctx.room)

    async def greet() -> None:
        names: dict[str, str] = {}
        session.say(f"Hello {names['ada']}")

    asyncio.create_task(greet())  # noqa: RUF006  this is the fault: nobody awaits it


async def blocks(ctx: JobContext) -> None:
    """Look something up with a library that is not asynchronous."""
    await serve(ctx, Agent(instructions=""))
    await asyncio.sleep(1)
    time.sleep(4)  # noqa: ASYNC251  this is the fault


async def exits(ctx: JobContext) -> None:
    """End the program, as a script does, once the caller is there."""
    await serve(ctx, Agent(instructions=""))
    await asyncio.sleep(1)
    sys.exit()


async def unsubscribes(ctx: JobContext) -> None:
    """Stop listening to the caller for a while, and forget to begin again."""
    await serve(ctx, Agent(instructions=""))
    await asyncio.sleep(2)
    for who in ctx.room.remote_participants.values():
        for track in who.track_publications.values():
            track.set_subscribed(False)


async def starts_none(ctx: JobContext) -> None:
    """Wait for something that does not come, before the session starts."""
    await ctx.connect()
    await ctx.wait_for_participant()
    await asyncio.Event().wait()


FAULTS: dict[str, Callable[[JobContext], Awaitable[None]]] = {
    "fails": fails,
    "hangs": hangs,
    "searches": searches,
    "deaf": deaf,
    "whispers": whispers,
    "greets": greets,
    "talks": talks,
    "raises": raises,
    "forgets-its-task": forgets_its_task,
    "blocks": blocks,
    "exits": exits,
    "unsubscribes": unsubscribes,
    "starts-none": starts_none,
}

server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), num_idle_processes=1)
tracer.instrument(server)
server.rtc_session(FAULTS[os.environ["FAULT"]], agent_name=os.environ.get("AGENT_NAME", ""))

if __name__ == "__main__":
    cli.run_app(server)
