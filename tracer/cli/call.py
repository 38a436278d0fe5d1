"""`tracer call`"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from tracer.cli.extra import needs_demo_extra
from tracer.errors import ConfigurationError, TracerError
from tracer.settings import LiveKit, address

if TYPE_CHECKING:
    from tracer.demo.call import Call

__all__ = ["command"]

SECONDS = 20.0
"""How long a call is, unless set."""
LIMIT = 5.0
"""Seconds that the server may take to say why it could not be called."""


@click.command("call", short_help="Make a call from the terminal, with a microphone.")
@click.argument("room")
@click.option("--identity", metavar="NAME", help="Who calls; by default caller- and four random digits.")
@click.option("--name", default="", help="The caller's display name.")
@click.option("--attribute", "attributes", multiple=True, metavar="KEY=VALUE", help="An attribute; repeatable.")
@click.option("--metadata", default="", metavar="TEXT", help="The caller's metadata.")
@click.option(
    "--agent",
    "agents",
    multiple=True,
    metavar="NAME",
    help="An agent that the token requests, if the call creates the room; repeatable.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=SECONDS,
    show_default=True,
    help="Hang up after so long.",
)
@click.option("--silent", is_flag=True, help="Publish no microphone.")
def command(
    room: str,
    identity: str | None,
    name: str,
    attributes: tuple[str, ...],
    metadata: str,
    agents: tuple[str, ...],
    seconds: float,
    silent: bool,
) -> None:
    """Call ROOM on the server of LIVEKIT_URL, play a quiet tone, and say what happens.

    Ctrl-C hangs up. Needs the extra demo. The token is made from LIVEKIT_API_KEY and LIVEKIT_API_SECRET. Without
    --agent, a room that the call creates requests the unnamed agent.

    Exits 0 when the call was made; 1 when it could not join, the server ended it, or an agent was requested and none
    came; 2 on misuse.

    \b
    Examples:
      tracer call demo
      tracer call demo --agent helper --identity ada --attribute tier=gold --seconds 5
    """
    import asyncio
    import logging
    import secrets

    needs_demo_extra("tracer call")
    server = LiveKit.from_env()
    if not server.url:
        raise ConfigurationError("LIVEKIT_URL is not set: it is the server to call on, as ws://localhost:7880")
    from tracer.demo.call import Call
    from tracer.demo.tokens import caller_token
    from tracer.view.text import plain

    identity = identity or f"caller-{secrets.token_hex(2)}"
    token = caller_token(
        server, room, identity, name=name, metadata=metadata, attributes=_pairs(attributes), agents=agents
    )
    # The client library also tells the root logger, of a track say that is gone because the call was hung up.
    for logger in ("livekit", None):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    click.echo(f"calling {room!r} as {plain(identity)} on {address(server.url)}")

    async def make() -> Call:
        leave = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, leave.set)
        call = Call(server.url, token, silent=silent, say=click.echo)
        try:
            await call.make(seconds, leave)
        except TracerError as error:
            _end(call, str(error) if call.sid else await _why_not_joined(server, error))
        missing = agents and not call.agents
        named = " or ".join(map(repr, agents))
        _end(
            call, f"no agent came: is there a worker of {named}, and did this call create the room?" if missing else ""
        )

    asyncio.run(make())


async def _why_not_joined(server: LiveKit, error: TracerError) -> str:
    """The server says more of what is wrong with address and key than LiveKit's client does."""
    from tracer.answers.of_aiohttp import bounded_session
    from tracer.server_fault import find_fault

    async with bounded_session(LIMIT) as session:
        return str(await find_fault(server, session, limit=LIMIT) or error)


def _pairs(attributes: tuple[str, ...]) -> dict[str, str]:
    """Each KEY=VALUE. Raises ConfigurationError for one that is not."""
    for attribute in attributes:
        if "=" not in attribute.lstrip("="):
            raise ConfigurationError(f"--attribute is {attribute!r}: it must look like KEY=VALUE")
    return dict(attribute.split("=", 1) for attribute in attributes)


def _end(call: Call, fault: str) -> NoReturn:
    """Say how to see the call, and what was wrong with it."""
    if call.sid:
        click.echo(f"with `tracer serve` running: tracer timeline {call.sid}, or tracer why {call.sid}")
    if call.sid and not call.agents and not fault:
        click.echo("no agent came: `tracer doctor` says which workers answer")
    if fault:
        click.echo(f"tracer: {fault}", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    # The client library's threads can outlive the interpreter and abort it; the call is over.
    os._exit(1 if fault else 0)
