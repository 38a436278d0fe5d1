"""An agent with nothing wrong, in many ways: the name of the room, up to the full stop in it, says in which."""

import asyncio
import os
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

from livekit import rtc
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, WorkerType, cli
from livekit.agents.voice.room_io import RoomOptions
from livekit.api import AccessToken, VideoGrants
from livekit.protocol.agent import JobType

import tracer
from tracer.demo.call import publish


async def start(ctx: JobContext, options: RoomOptions | None = None) -> AgentSession[None]:
    session = AgentSession[None]()
    agent = Agent(instructions="You are helpful.")
    await session.start(agent=agent, room=ctx.room, room_options=options or RoomOptions())
    return session


async def serve(ctx: JobContext, options: RoomOptions | None = None) -> AgentSession[None]:
    """As most do: connect, wait for the caller, start the session."""
    await ctx.connect()
    await ctx.wait_for_participant()
    return await start(ctx, options)


async def without_a_wait(ctx: JobContext) -> None:
    """As the examples of livekit-agents do: the session waits for the caller."""
    await start(ctx)
    await ctx.connect()


async def keeps_its_session(ctx: JobContext) -> None:
    await serve(ctx, RoomOptions(close_on_disconnect=False))


async def text_only(ctx: JobContext) -> None:
    await serve(ctx, RoomOptions(audio_input=False, audio_output=False))


async def hold_music(ctx: JobContext) -> None:
    await ctx.connect()
    await ctx.wait_for_participant()
    music = asyncio.create_task(publish(ctx.room))
    await asyncio.sleep(2)
    music.cancel()
    for sid in list(ctx.room.local_participant.track_publications):
        await ctx.room.local_participant.unpublish_track(sid)
    await start(ctx)


async def hand_off(ctx: JobContext) -> None:
    session = await serve(ctx)
    await asyncio.sleep(1)
    session.update_agent(Agent(instructions="You are the second."))


async def starts_later(ctx: JobContext) -> None:
    await ctx.connect()
    await asyncio.sleep(1.5)
    await ctx.wait_for_participant()
    await start(ctx)


async def waits_for_ada(ctx: JobContext) -> None:
    await ctx.connect()
    await ctx.wait_for_participant(identity="ada")
    await start(ctx, RoomOptions(participant_identity="ada"))


async def in_turn(ctx: JobContext) -> None:
    """A session for each of two callers, one after the other."""
    await ctx.connect()
    for _ in range(2):
        await ctx.wait_for_participant()
        closed = asyncio.Event()
        (await start(ctx)).on("close", lambda _, closed=closed: closed.set())
        await closed.wait()


async def deletes_room(ctx: JobContext) -> None:
    await serve(ctx)
    await asyncio.sleep(3)

    async def hang_up() -> None:
        await ctx.delete_room()

    ctx.add_shutdown_callback(hang_up)
    ctx.shutdown("all is said")


async def session_deletes_room(ctx: JobContext) -> None:
    session = await serve(ctx, RoomOptions(delete_room_on_close=True))
    await asyncio.sleep(3)
    session.shutdown()


async def leaves_with_caller(ctx: JobContext) -> None:
    (await serve(ctx)).on("close", lambda _: ctx.shutdown("the caller left"))


async def hands_over(ctx: JobContext) -> None:
    """It leaves when a second person is there."""
    await serve(ctx)
    while len(ctx.room.remote_participants) < 2:  # noqa: ASYNC110  the example is simpler so
        await asyncio.sleep(0.2)
    await asyncio.sleep(1)
    ctx.shutdown("a person took over")


async def attributes(ctx: JobContext) -> None:
    await serve(ctx)
    await ctx.room.local_participant.set_attributes({"mood": "good", "language": "en"})
    await ctx.room.local_participant.set_metadata("third day at work")


async def slow_tool(ctx: JobContext) -> None:
    """It works beside the call, and after it."""

    async def report() -> None:
        await asyncio.sleep(1)

    ctx.add_shutdown_callback(report)
    await serve(ctx)


async def avatar(ctx: JobContext) -> None:
    """A second participant has the voice and speaks on the agent's behalf, as avatar providers do it."""
    session = await serve(ctx, RoomOptions(audio_output=False))
    token = (
        AccessToken(os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])
        .with_identity("avatar")
        .with_kind("agent")
        .with_ttl(timedelta(minutes=5))
        .with_attributes({"lk.publish_on_behalf": ctx.room.local_participant.identity})
        .with_grants(VideoGrants(room_join=True, room=ctx.room.name))
    )
    face = rtc.Room()
    await face.connect(os.environ["LIVEKIT_URL"], token.to_jwt())
    speaking = asyncio.create_task(publish(face))
    closed = asyncio.Event()
    session.on("close", lambda _: closed.set())
    await closed.wait()
    speaking.cancel()
    await face.disconnect()


async def one_caller(ctx: JobContext) -> None:
    """A job, and a session, for one caller only."""
    await ctx.connect()
    session = await start(ctx, RoomOptions(participant_identity=ctx.job.participant.identity))
    session.on("close", lambda _: ctx.shutdown("the caller left"))


WAYS = {
    "without-a-wait": without_a_wait,
    "reload": keeps_its_session,
    "away": keeps_its_session,
    "text-only": text_only,
    "hold-music": hold_music,
    "hand-off": hand_off,
    "starts-later": starts_later,
    "waits-by-identity": waits_for_ada,
    "in-turn": in_turn,
    "deletes-room": deletes_room,
    "session-deletes-room": session_deletes_room,
    "leaves-with-caller": leaves_with_caller,
    "hands-over": hands_over,
    "attributes": attributes,
    "reports-after": slow_tool,
    "avatar": avatar,
}


async def entrypoint(ctx: JobContext) -> None:
    if ctx.job.type != JobType.JT_ROOM:
        await one_caller(ctx)
    else:
        await WAYS.get(ctx.job.room.name.partition(".")[0], serve)(ctx)


server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), num_idle_processes=4, drain_timeout=2)
if os.environ.get("INSTRUMENTED", "yes") == "yes":
    tracer.instrument(server)
# Of JT_ROOM, JT_PUBLISHER and JT_PARTICIPANT, livekit-agents has a name for the first two only; the server knows all.
TYPE = cast("WorkerType", SimpleNamespace(value=JobType.Value(os.environ.get("JOB_TYPE", "JT_ROOM"))))
server.rtc_session(entrypoint, agent_name=os.environ.get("AGENT_NAME", ""), type=TYPE)

if __name__ == "__main__":
    cli.run_app(server)
