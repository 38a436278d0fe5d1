"""`tracer doctor`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tracer.cli.options import format_option, output_option, read_store_option, width_option

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.doctor.diagnosis import Diagnosis

__all__ = ["command"]


@click.command("doctor", short_help="Check that your setup can be traced.")
@click.option(
    "--agent",
    "agents",
    multiple=True,
    metavar="NAME",
    help="Request only the agent of this name; '' is the unnamed agent. Can be given several times.",
)
@read_store_option
@click.option(
    "--endpoint",
    envvar="TRACER_ENDPOINT",
    show_envvar=True,
    default="http://127.0.0.1:7890",
    show_default=True,
    metavar="URL",
    help="Address of `tracer serve`.",
)
@click.option(
    "--jaeger-url",
    envvar="TRACER_JAEGER_URL",
    show_envvar=True,
    metavar="URL",
    help="Address of Jaeger's UI, as http://127.0.0.1:16686: a test span is read back from there.",
)
@format_option()
@output_option
@width_option
def command(
    agents: tuple[str, ...],
    store: str,
    endpoint: str,
    jaeger_url: str | None,
    form: str,
    output: Path | None,
    width: int | None,
) -> None:
    """Check that your setup can be traced; each line says how to fix it.

    \b
    server    the LiveKit server answers and accepts the key
    receiver  `tracer serve` answers
    webhooks  the server's webhooks arrive
    workers   which workers answer for which agent
    backend   the OpenTelemetry backend accepts a span, and Jaeger returns it
    protocol  what the server sends is known
    clocks    the clocks of server, agents and this machine are close

    It creates one room, tracer-doctor-…, that dispatches the unnamed agent and up to five others whose workers the
    store knows, or only those of --agent; agents that answer join it and find no caller. At the end, also after Ctrl-C,
    it deletes the room; while an agent is still connecting it leaves that to the server, which closes the room after
    30 s. `tracer rooms` lists it like any other room; `tracer stats` does not count it.

    Exits 0 when nothing failed, 1 when something did, 2 on misuse.

    \b
    Examples:
      tracer doctor
      tracer doctor --agent helper
    """
    import asyncio

    from tracer.doctor.diagnosis import State
    from tracer.errors import ConfigurationError
    from tracer.export.target import Target
    from tracer.settings import LiveKit, checked_url, read_token
    from tracer.view.doctor import DiagnosisView, as_json
    from tracer.view.write import write_json, write_view

    server = LiveKit.from_env()
    if not server.url:
        raise ConfigurationError("LIVEKIT_URL is not set: it is the server to check, as ws://localhost:7880")
    checked_url("TRACER_ENDPOINT", endpoint, "http", "https")
    if jaeger_url:
        checked_url("TRACER_JAEGER_URL", jaeger_url, "http", "https")
    from tracer.doctor.examination import examine
    from tracer.doctor.visit import Setup

    def show(found: Diagnosis) -> None:
        if form == "terminal" and output is None:
            write_view(DiagnosisView([found]), width=width)

    setup = Setup(server, endpoint, store, agents, Target.from_env(), jaeger_url or None, read_token())
    found = asyncio.run(examine(setup, show))
    if form == "json":
        write_json(as_json(found), output)
    elif output is not None:
        write_view(DiagnosisView(found), output=output, width=width)
    if any(one.state is State.FAILED for one in found):
        sys.exit(1)
