"""An agent that is slow where its dispatch's metadata says, and notes how slow it was, by its own clock.

Metadata: {"stage": seconds}. Noted for each stage, a line each: job, stage, and ns since the epoch of when the stage
began, when the delay in it began and ended, and when the stage ended.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobProcess, JobRequest, cli
from livekit.agents.llm import Toolset

import tracer
from tracer.demo.detour import detour

NOTES = Path(os.environ["AGENT_NOTES"])
SETUP = float(os.environ.get("SETUP", "0"))
_delays: dict[str, list[int]] = {}


class Stages:
    """One job's."""

    def __init__(self, job: str, metadata: str) -> None:
        self.job = job
        self.seconds: dict[str, float] = json.loads(metadata)
        self.delay = [0, 0]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Note when it began and ended, and the delay in it."""
        began = time.time_ns()
        self.delay = [began, began]
        yield
        note(self.job, name, began, *self.delay, time.time_ns())

    async def late(self, name: str) -> None:
        """Take as long as the dispatch says."""
        began = time.time_ns()
        await asyncio.sleep(self.seconds.get(name, 0.0))
        self.delay = [began, time.time_ns()]


def note(*what: object) -> None:
    with NOTES.open("a") as notes:
        notes.write(" ".join(map(str, what)) + "\n")


def setup(_: JobProcess) -> None:
    _delays["setup"] = [time.time_ns()]
    time.sleep(SETUP)
    _delays["setup"].append(time.time_ns())


async def request(job: JobRequest) -> None:
    stages = Stages(job.id, job.job.metadata)
    with stages.stage("request"):
        await stages.late("request")
    await job.accept()


class FarawayTools(Toolset):
    """Tools that take a while to say what they are."""

    stages: Stages

    async def setup(self) -> Self:
        await self.stages.late("session")
        return await super().setup()


async def entrypoint(ctx: JobContext) -> None:
    stages = Stages(ctx.job.id, ctx.job.metadata)
    began, ended = _delays["setup"]
    note(ctx.job.id, "setup", began, began, ended, ended)
    with stages.stage("before-connect"):
        await stages.late("before-connect")
        if seconds := stages.seconds.get("connect"):
            ctx._info.url = await detour(ctx._info.url, seconds)
    with stages.stage("connect"):
        await ctx.connect()
        # The detour's own delay is as long as asked for, or longer.
        stages.delay = [0, round(stages.seconds.get("connect", 0.0) * 1e9)]
    with stages.stage("after-connect"):
        await stages.late("after-connect")
    with stages.stage("wait"):
        await ctx.wait_for_participant()
    with stages.stage("before-session"):
        await stages.late("before-session")
        tools = FarawayTools(id="faraway")
        tools.stages = stages
        session, agent = AgentSession[None](), Agent(instructions="", tools=[tools])
    with stages.stage("session"):
        await session.start(agent=agent, room=ctx.room)


server = AgentServer(
    host="127.0.0.1",
    port=int(os.environ["AGENT_PORT"]),
    num_idle_processes=int(os.environ.get("IDLE", "1")),
)
server.setup_fnc = setup
tracer.instrument(server)
server.rtc_session(entrypoint, agent_name=os.environ["AGENT_NAME"], on_request=request)

if __name__ == "__main__":
    cli.run_app(server)
