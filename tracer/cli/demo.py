"""`tracer demo`"""

from __future__ import annotations

from pathlib import Path

import click

from tracer.cli.options import store_option

__all__ = ["command"]


@click.command("demo")
@store_option
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="Write the call down, to be replayed.")
def command(store: str, record: Path | None) -> None:
    """Make a real call, with a real agent, and show what happened.

    The call runs on LIVEKIT_URL if that is set, else on a livekit-server started for it on this machine: one
    on the PATH, or built once with Go, or run with Docker. Without any of these a recorded call is replayed.

    \b
    Example: tracer demo
    """
    import asyncio

    from tracer.demo.run import run

    asyncio.run(run(Path(store), record))
