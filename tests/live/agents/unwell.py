"""An instrumented agent whose clock is off by SHIFT seconds, whose load is LOAD, and which with REJECT wants no job."""

import os
import time

_SHIFT = float(os.environ.get("SHIFT", "0"))
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + _SHIFT
time.time_ns = lambda: _time_ns() + int(_SHIFT * 1e9)

import opentelemetry.sdk.trace  # noqa: E402
from livekit.agents import AgentServer, JobContext, JobRequest, cli  # noqa: E402

import tracer  # noqa: E402

# A job process has imported it before it comes to this file.
opentelemetry.sdk.trace.time_ns = time.time_ns  # type: ignore[attr-defined]


def load() -> float:
    return float(os.environ.get("LOAD", "0"))


server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), num_idle_processes=1, load_fnc=load)
tracer.instrument(server)


async def request(job: JobRequest) -> None:
    await (job.reject() if os.environ.get("REJECT") else job.accept())


@server.rtc_session(on_request=request)
async def entrypoint(ctx: JobContext) -> None:
    await ctx.connect()
    await ctx.wait_for_participant()


if __name__ == "__main__":
    cli.run_app(server)
