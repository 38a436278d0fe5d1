"""An agent with one fault, which FAULT names; without it, all is well. Each fault is one function, small and real."""

import asyncio
import os
import signal
import time
from typing import Self

from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    AutoSubscribe,
    JobContext,
    JobProcess,
    JobRequest,
    WorkerPermissions,
    WorkerType,
    cli,
)
from livekit.agents.llm import Toolset
from livekit.agents.voice.room_io import RoomOptions
from livekit.api import ListRoomsRequest

import tracer
from tracer.demo.detour import Detour, detour

FAULT = os.environ.get("FAULT", "")
MEMORY_LIMIT_MB = 400


async def serve(ctx: JobContext, *tools: Toolset, options: RoomOptions | None = None) -> AgentSession[None]:
    """As it should be: connect, wait for the caller, start the session."""
    await ctx.connect()
    await ctx.wait_for_participant()
    session = AgentSession[None]()
    agent = Agent(instructions="You are helpful.", tools=list(tools))
    await session.start(agent=agent, room=ctx.room, room_options=options or RoomOptions())
    return session


async def entrypoint(ctx: JobContext) -> None:
    """Without a fault."""
    await serve(ctx)


async def answers_late(request: JobRequest) -> None:
    """It asks a database whether it may, and the server waits for 3 s only."""
    await asyncio.sleep(4)
    await request.accept()


async def answers_slowly(request: JobRequest) -> None:
    """It asks a database whether it may."""
    await asyncio.sleep(1.5)
    await request.accept()


async def answers_very_slowly(request: JobRequest) -> None:
    """It asks a service that is far away, and answers just before the server gives up after 3 s."""
    await asyncio.sleep(2.5)
    await request.accept()


async def rejects(request: JobRequest) -> None:
    """It does not want this one."""
    await request.reject()


async def raises_in_request(_: JobRequest) -> None:
    """It looks for what is not there."""
    raise KeyError("tenant")


async def gives_no_answer(_: JobRequest) -> None:
    """It has a branch in which it neither accepts nor rejects."""


async def accepts_as_one(request: JobRequest) -> None:
    """It calls each of its agents the same."""
    await request.accept(identity="my-agent")


def fails_to_prepare(_: JobProcess) -> None:
    """The model's file is not on this machine."""
    raise FileNotFoundError("models/vad.onnx")


def prepares_slowly(_: JobProcess) -> None:
    """It loads a large model."""
    time.sleep(2)


async def raises_before_connect(_: JobContext) -> None:
    """A setting is missing on this machine."""
    raise KeyError("PRICE_LIST")


async def never_connects(_: JobContext) -> None:
    """It forgets to connect, and starts no session."""


async def hangs_before_connect(_: JobContext) -> None:
    """It waits for something that does not come."""
    await asyncio.Event().wait()


async def connects_elsewhere(ctx: JobContext) -> None:
    """The server's address, as the agent was given it, does not lead there from this machine."""
    ctx._info.url = "ws://127.0.0.1:9"  # noqa: SLF001  the port is for throwing away: nobody listens
    await serve(ctx)


async def connects_slowly(ctx: JobContext) -> None:
    """The way to the server is long."""
    ctx._info.url = await detour(ctx._info.url, seconds=3)  # noqa: SLF001  livekit-agents connects to it
    await serve(ctx)


async def thinks_first(ctx: JobContext) -> None:
    """It does before connecting what could be done beside it."""
    await asyncio.sleep(3)
    await serve(ctx)


async def thinks_long(ctx: JobContext) -> None:
    """It takes so long that its caller has hung up, and calls again."""
    await asyncio.sleep(10)
    await serve(ctx)


class FarawayTools(Toolset):
    """Tools on a server that takes a while to say what it has."""

    async def setup(self) -> Self:
        """Ask it."""
        await asyncio.sleep(4)
        return await super().setup()


async def starts_slowly(ctx: JobContext) -> None:
    """Its session asks a server for tools before it starts."""
    await serve(ctx, FarawayTools(id="faraway"))


async def connects_when_all_is_over(ctx: JobContext) -> None:
    """It takes longer to get ready than the caller waits, and the room with them."""
    name = ctx.job.room.name
    while (await ctx.api.room.list_rooms(ListRoomsRequest(names=[name]))).rooms:  # noqa: ASYNC110  there is no event to wait for
        await asyncio.sleep(0.2)
    await ctx.connect()


async def closes_its_session(ctx: JobContext) -> None:
    """It says goodbye, and forgets to hang up."""
    session = await serve(ctx)
    await asyncio.sleep(1)
    await session.aclose()


async def waits_for_another(ctx: JobContext) -> None:
    """It waits for an identity that its backend gives to nobody."""
    await ctx.connect()
    await ctx.wait_for_participant(identity="user_7")
    await serve(ctx)


async def subscribes_to_nothing(ctx: JobContext) -> None:
    """It connects as an agent that only speaks."""
    await ctx.connect(auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE)
    await serve(ctx)


async def keeps_its_session(ctx: JobContext) -> None:
    """Its session goes on when the participant that it is linked to leaves."""
    await serve(ctx, options=RoomOptions(close_on_disconnect=False))


async def raises_in_the_call(ctx: JobContext) -> None:
    """What it needs in the middle of a call is not there."""
    await serve(ctx)
    await asyncio.sleep(1)
    raise KeyError("PRICE_LIST")


async def is_killed(ctx: JobContext) -> None:
    """Something kills its process, as the kernel does when memory is short."""
    await serve(ctx)
    await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)


async def takes_too_much_memory(ctx: JobContext) -> None:
    """It keeps all that it hears, and the worker has a limit."""
    await serve(ctx)
    ctx.proc.userdata["kept"] = bytearray(b"heard") * (MEMORY_LIMIT_MB * 1024 * 1024 // 5)


async def shuts_down_slowly(ctx: JobContext) -> None:
    """After the call it waits for something that takes longer than the worker does."""
    ctx.add_shutdown_callback(lambda: asyncio.sleep(60))
    await serve(ctx)


async def gets_no_answer(ctx: JobContext) -> None:
    """The server lets it in, and the answer is lost on the way."""
    ctx._info.url = await Detour(first_unanswered=True).opened(ctx._info.url)  # noqa: SLF001  as above
    await serve(ctx)


async def loses_its_connection(ctx: JobContext) -> None:
    """Its path to the server is cut in the middle of the call, and stays so."""
    path = Detour()
    ctx._info.url = await path.opened(ctx._info.url)  # noqa: SLF001  as above
    await serve(ctx)
    await asyncio.sleep(1)
    path.cut()


async def leaves_with_the_caller(ctx: JobContext) -> None:
    """Its job ends when its caller leaves, as many an agent's does."""
    ctx.room.on("participant_disconnected", lambda _: ctx.shutdown("the caller left"))
    await serve(ctx)


async def hangs_up_on_two(ctx: JobContext) -> None:
    """It connects a second person to its caller, and hangs up as it does after every call."""
    await serve(ctx)
    while len(ctx.room.remote_participants) < 2:  # noqa: ASYNC110  the example is simpler so
        await asyncio.sleep(0.2)
    await asyncio.sleep(2)

    async def hang_up() -> None:
        await ctx.delete_room()

    ctx.add_shutdown_callback(hang_up)
    ctx.shutdown("the two are connected")


async def forgets_to_hang_up(ctx: JobContext) -> None:
    """It says goodbye and ends; its caller is still there."""
    await serve(ctx)
    await asyncio.sleep(1)
    ctx.shutdown("all is said")


REQUESTS = {
    "answers-late": answers_late,
    "answers-slowly": answers_slowly,
    "answers-very-slowly": answers_very_slowly,
    "rejects": rejects,
    "raises-in-request": raises_in_request,
    "gives-no-answer": gives_no_answer,
    "accepts-as-one": accepts_as_one,
}
PREPARATIONS = {"fails-to-prepare": fails_to_prepare, "prepares-slowly": prepares_slowly}
ENTRYPOINTS = {
    "raises-before-connect": raises_before_connect,
    "never-connects": never_connects,
    "hangs-before-connect": hangs_before_connect,
    "connects-elsewhere": connects_elsewhere,
    "connects-slowly": connects_slowly,
    "thinks-first": thinks_first,
    "thinks-long": thinks_long,
    "starts-slowly": starts_slowly,
    "connects-when-all-is-over": connects_when_all_is_over,
    "closes-its-session": closes_its_session,
    "waits-for-another": waits_for_another,
    "subscribes-to-nothing": subscribes_to_nothing,
    "keeps-its-session": keeps_its_session,
    "raises-in-the-call": raises_in_the_call,
    "is-killed": is_killed,
    "takes-too-much-memory": takes_too_much_memory,
    "leaves-with-the-caller": leaves_with_the_caller,
    "shuts-down-slowly": shuts_down_slowly,
    "gets-no-answer": gets_no_answer,
    "loses-its-connection": loses_its_connection,
    "hangs-up-on-two": hangs_up_on_two,
    "forgets-to-hang-up": forgets_to_hang_up,
}

PERMISSIONS = {"is-hidden": WorkerPermissions(hidden=True)}

server = AgentServer(
    host="127.0.0.1",
    port=int(os.environ["AGENT_PORT"]),
    num_idle_processes=0 if FAULT in PREPARATIONS else 1,  # 0 is the default in dev mode
    drain_timeout=int(os.environ.get("DRAIN_TIMEOUT", "2")),
    job_memory_limit_mb=MEMORY_LIMIT_MB,
    permissions=PERMISSIONS.get(FAULT, WorkerPermissions()),
    shutdown_process_timeout=2 if FAULT == "shuts-down-slowly" else 10,  # 10 is the default
)
server.setup_fnc = PREPARATIONS.get(FAULT)
tracer.instrument(server)
server.rtc_session(
    ENTRYPOINTS.get(FAULT, entrypoint),
    agent_name=os.environ.get("AGENT_NAME", ""),
    type=WorkerType.PUBLISHER if os.environ.get("JOB_TYPE") == "PUBLISHER" else WorkerType.ROOM,
    on_request=REQUESTS.get(FAULT),
)

if __name__ == "__main__":
    cli.run_app(server)
