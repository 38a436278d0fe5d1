"""`tracer observe`"""

from __future__ import annotations

import click

from tracer.cli.options import store_option

__all__ = ["command"]


@click.command("observe", short_help="Watch a server's rooms by asking its API.")
@store_option
@click.option("--redact", is_flag=True, help="Keep and export no personal data: names, identities, attributes.")
def command(store: str, redact: bool) -> None:
    """Watch a server's rooms by asking its API, where webhooks cannot be set.

    Needs LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET. Times of joining, leaving and closing are then known to
    within a look; dispatches, jobs and joins have the server's own times. `tracer serve` does the same beside its
    webhooks.

    \b
    Example: LIVEKIT_URL=wss://my-project.livekit.cloud tracer observe
    """
    import asyncio

    from tracer.service.serve import ServeOptions, observe
    from tracer.settings import LiveKit

    asyncio.run(observe(LiveKit.from_env(), ServeOptions(store, redact=redact)))
