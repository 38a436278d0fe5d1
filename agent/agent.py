"""A voice agent that knows its caller before it says a word. Copy it and make it yours.

    python agent.py start

It needs LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET, in the environment or in .env; .env.example has the rest.
"""

import logging
import os
from collections.abc import Mapping
from typing import Any

from dotenv import find_dotenv, load_dotenv
from livekit.agents import Agent, AgentServer, AgentSession, AutoSubscribe, JobContext, JobProcess, cli, function_tool

import tracer

load_dotenv(find_dotenv(usecwd=True))
log = logging.getLogger("agent")

SPEAKS = bool(os.environ.get("OPENAI_API_KEY"))
if SPEAKS:  # here: plugins must be imported on the main thread, and before a caller waits
    from livekit.plugins import openai

server = AgentServer(host="127.0.0.1", port=int(os.environ.get("AGENT_PORT", "8081")))
tracer.instrument(server)


def instructions(identity: str, name: str, metadata: str, attributes: Mapping[str, str]) -> str:
    """What the agent knows of its caller: what your backend put into their token, if callers cannot change it."""
    parts = [f"You help {name or identity} on the phone, in one or two short sentences. Their identity is {identity}."]
    parts += [f"Their {key} is {value}." for key, value in attributes.items() if not key.startswith("lk.")]
    if metadata:
        parts.append(f"What else is known of them: {metadata}")
    return " ".join(parts)


@function_tool
async def opening_hours(day: str) -> str:
    """Look up when the shop is open on a day of the week."""
    return "closed" if day.lower() == "sunday" else "from nine to six"


def models() -> dict[str, Any]:
    """Speech-to-text, language model and text-to-speech of OpenAI or OPENAI_BASE_URL; none without an API key."""
    return {"stt": openai.STT(), "llm": openai.LLM(), "tts": openai.TTS()} if SPEAKS else {}


def prepare(process: JobProcess) -> None:
    """Load what takes long before a caller waits for it."""
    process.userdata["models"] = models()


server.setup_fnc = prepare


# Without a name it is dispatched to every new room; with one, only to rooms that request it.
@server.rtc_session(agent_name=os.environ.get("AGENT_NAME", ""))
async def entrypoint(ctx: JobContext) -> None:
    """Connect, wait for the caller, and only then decide what to say."""
    await ctx.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
    caller = await ctx.wait_for_participant()
    brief = instructions(caller.identity, caller.name, caller.metadata, caller.attributes)
    session = AgentSession[None](**ctx.proc.userdata["models"])
    await session.start(agent=Agent(instructions=brief, tools=[opening_hours]), room=ctx.room)
    if SPEAKS:
        session.generate_reply(instructions="Greet the caller by name and offer your help.")
    else:
        log.warning("no OPENAI_API_KEY: this agent joins the room and says nothing")


if __name__ == "__main__":
    cli.run_app(server)
