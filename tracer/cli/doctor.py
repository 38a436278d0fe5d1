"""`tracer doctor`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tracer.cli.options import store_option

if TYPE_CHECKING:
    from tracer.doctor.diagnosis import Diagnosis

__all__ = ["command"]


@click.command("doctor", short_help="Look whether a set-up can be traced.")
@click.option(
    "--agent",
    "agents",
    multiple=True,
    metavar="NAME",
    help="Ask for the agent of this name, and no other; '' is the unnamed one. Can be given several times.",
)
@store_option
@click.option(
    "--endpoint",
    envvar="TRACER_ENDPOINT",
    show_envvar=True,
    default="http://127.0.0.1:7890",
    show_default=True,
    metavar="URL",
    help="Where `tracer serve` listens.",
)
@click.option(
    "--jaeger-url",
    envvar="TRACER_JAEGER_URL",
    show_envvar=True,
    metavar="URL",
    help="Where Jaeger's pages are, as http://127.0.0.1:16686: a span is asked back there.",
)
@click.option("--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True)
def command(agents: tuple[str, ...], store: str, endpoint: str, jaeger_url: str | None, form: str) -> None:
    """Look whether a set-up can be traced, before anything is traced; each line says what to mend.

    Is the server there and the key right, is `tracer serve` there, do webhooks arrive, which workers answer for which
    agent, does Jaeger give a span back, are the clocks close. It makes a room tracer-doctor-… and deletes it a few
    seconds later: agents that answer join it, and find nobody. Without --agent it asks for the unnamed agent and for
    those whose names the store knows.

    Exits 0 when nothing failed, 1 when something did.

    \b
    Examples:
      tracer doctor
      tracer doctor --agent helper
    """
    import asyncio

    from tracer.doctor.diagnosis import State
    from tracer.errors import ConfigurationError
    from tracer.settings import LiveKit, checked_url, otlp_endpoint
    from tracer.view.console import console
    from tracer.view.doctor import DiagnosisView, as_json

    server = LiveKit.from_env()
    if not server.url:
        raise ConfigurationError("LIVEKIT_URL not set: it is the server to look at, as ws://localhost:7880")
    checked_url("TRACER_ENDPOINT", endpoint, "http", "https")
    if jaeger_url:
        checked_url("TRACER_JAEGER_URL", jaeger_url, "http", "https")
    from tracer.doctor.examination import examine
    from tracer.doctor.visit import Setup

    setup = Setup(server, endpoint, store, agents, otlp_endpoint(), jaeger_url or None)
    out = console()

    def tell(finding: Diagnosis) -> None:
        if form == "terminal":
            out.print(DiagnosisView(finding))

    findings = asyncio.run(examine(setup, tell))
    if form == "json":
        click.echo(as_json(findings))
    if any(finding.state is State.FAILED for finding in findings):
        sys.exit(1)
