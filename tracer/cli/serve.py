"""`tracer serve`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracer.cli.logs import log_options, start_logging
from tracer.cli.options import keep_options, redact_option, span_names_option, store_option

if TYPE_CHECKING:
    from tracer.export.span_names import SpanNames

__all__ = ["command"]


@click.command("serve", short_help="Receive webhooks and agents' spans, and record them.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=7890,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 chooses a free port.",
)
@store_option
@click.option("--no-observe", is_flag=True, help="Do not poll the server's API: webhooks and agents' spans only.")
@redact_option
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write what is received to this file, to be replayed; it contains names, identities and attributes.",
)
@keep_options
@click.option("--only", default="", metavar="PREFIX", help="Store only rooms whose names begin with this.")
@click.option(
    "--jaeger-url",
    envvar="TRACER_JAEGER_URL",
    show_envvar=True,
    metavar="URL",
    help="Address of Jaeger's UI, as http://127.0.0.1:16686: the page links to each room's trace.",
)
@span_names_option(envvar="TRACER_SPAN_NAMES", show_envvar=True)
@log_options
def command(
    host: str,
    port: int,
    store: str,
    no_observe: bool,
    redact: bool,
    record: Path | None,
    keep: int | None,
    max_size: int | None,
    only: str,
    jaeger_url: str | None,
    span_names: SpanNames,
    log_format: str,
    quiet: bool,
) -> None:
    """Receive webhooks and agents' spans, and record them.

    \b
    POST /webhook     LiveKit's webhooks, signed with LIVEKIT_API_KEY's secret
    POST /v1/traces   OpenTelemetry spans of agents (OTLP/HTTP, protobuf or JSON)
    POST /v1/logs     and /v1/metrics: passed on to OTEL_EXPORTER_OTLP_ENDPOINT, not kept
    GET  /            a page with the rooms and the timeline of each, as it happens
    GET  /healthz     whether it is up
    GET  /metrics     how long things took and what went wrong, for Prometheus

    With LIVEKIT_URL set, it also polls the server's API for what webhooks do not report: JOINED, dispatches and jobs.
    With OTEL_EXPORTER_OTLP_ENDPOINT set, it exports each room there as a trace. Rooms of `tracer demo` are not stored.

    It logs the first webhook, agent and room, and how each room went.

    \b
    Example: OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 tracer serve
    """
    from tracer.service.event_loop import run
    from tracer.service.retention import Limits
    from tracer.service.serve import ServeOptions, serve
    from tracer.service.stop_signal import end_in_time
    from tracer.settings import LiveKit

    start_logging(log_format, quiet=quiet)
    limits = Limits.of(store, keep, max_size)
    options = ServeOptions(
        store, host, port, not no_observe, redact, record, only, _http(jaeger_url), limits, span_names
    )
    run(serve(LiveKit.from_env(), options, end_in_time))


def _http(url: str | None) -> str:
    """An address that a page may link to. Raises ConfigurationError."""
    from tracer.settings import checked_url

    return checked_url("--jaeger-url (TRACER_JAEGER_URL)", url, "http", "https") if url else ""
