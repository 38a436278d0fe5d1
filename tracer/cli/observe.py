"""`tracer observe`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracer.cli.logs import log_options, start_logging
from tracer.cli.options import keep_options, redact_option, span_names_option, store_option

if TYPE_CHECKING:
    from tracer.export.span_names import SpanNames

__all__ = ["command"]


@click.command("observe", short_help="Record a server's rooms by polling its API only.")
@store_option
@redact_option
@keep_options
@span_names_option(envvar="TRACER_SPAN_NAMES", show_envvar=True)
@log_options
def command(
    store: str,
    redact: bool,
    keep: int | None,
    max_size: int | None,
    span_names: SpanNames,
    log_format: str,
    quiet: bool,
) -> None:
    """Record a server's rooms by polling its API, where webhooks cannot be configured.

    Needs LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET. JOINING, dispatches and jobs have the server's own times;
    when participants became ACTIVE or left and when rooms closed is known to within one poll. `tracer serve` polls too,
    beside receiving webhooks.

    \b
    Example: LIVEKIT_URL=wss://my-project.livekit.cloud tracer observe
    """
    import asyncio

    from tracer.service.retention import Limits
    from tracer.service.serve import ServeOptions, observe
    from tracer.service.stop_signal import end_in_time
    from tracer.settings import LiveKit

    start_logging(log_format, quiet=quiet)
    limits = Limits.of(store, keep, max_size)
    options = ServeOptions(store, redact=redact, limits=limits, span_names=span_names)
    asyncio.run(observe(LiveKit.from_env(), options, end_in_time))
