"""A worker whose jobs note how long after the server's offer they run; TRACED=1 has it instrumented."""

import os
import time
from pathlib import Path

from livekit.agents import AgentServer, JobContext, cli

server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), load_fnc=lambda: 0.0, num_idle_processes=1)
if os.environ["TRACED"] == "1":
    import tracer

    tracer.instrument(server)


@server.rtc_session(agent_name=os.environ["BENCH_NAME"])
async def entrypoint(ctx: JobContext) -> None:
    now = time.time_ns()
    await ctx.connect()
    connected = time.time_ns()
    offered = ctx.job.state.started_at
    with Path(os.environ["BENCH_OUT"]).open("a") as out:
        out.write(f"{(now - offered) / 1e6} {(connected - now) / 1e6}\n")
    ctx.shutdown()


if __name__ == "__main__":
    cli.run_app(server)
