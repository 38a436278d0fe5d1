"""A caller as a process of its own: leaves after a while or on SIGTERM.

LIVEKIT_URL=… CALLER_TOKEN=… python -m tracer.demo.caller SECONDS [--silent | --encrypted | --without-media]

It leaves on SIGUSR1 as well, and on the next one is back: at once, whatever starting a process takes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

import aiohttp
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import LeaveRequest, SignalRequest

from tracer.demo.call import Call
from tracer.errors import CallError

__all__: list[str] = []

KEY = b"known to the caller alone"
"""With which a caller encrypts end to end."""
PROTOCOL = 15
"""Protocol version of the caller without media."""


async def call(seconds: float, leave: asyncio.Event, *, silent: bool, encrypted: bool) -> None:
    """One call. That the server ends it is no fault here: scenarios have it do so."""
    made = Call(os.environ["LIVEKIT_URL"], os.environ["CALLER_TOKEN"], silent=silent, key=KEY if encrypted else b"")
    try:
        await made.make(seconds, leave)
    except CallError:
        if not made.ended_by_server:
            raise


async def call_without_media(seconds: float, leave: asyncio.Event) -> None:
    """As if the network let signalling through and no media: it joins, and never becomes ACTIVE."""
    wanted = {"access_token": os.environ["CALLER_TOKEN"], "protocol": str(PROTOCOL), "sdk": "python", "version": "0"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{os.environ['LIVEKIT_URL'].rstrip('/')}/rtc", params=wanted) as signalling,
    ):
        left = asyncio.create_task(leave.wait())
        await asyncio.wait([left], timeout=seconds)
        left.cancel()
        leaving = LeaveRequest(reason=DisconnectReason.CLIENT_INITIATED)
        await signalling.send_bytes(SignalRequest(leave=leaving).SerializeToString())


async def main(options: argparse.Namespace) -> None:
    """One call, and another one each time that the caller comes back."""
    leave, back, end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def goes_or_comes() -> None:
        event = back if leave.is_set() else leave
        event.set()

    def ends() -> None:
        for event in (leave, back, end):
            event.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ends)
    loop.add_signal_handler(signal.SIGUSR1, goes_or_comes)
    if options.without_media:
        await call_without_media(options.seconds, leave)
        return
    await call(options.seconds, leave, silent=options.silent, encrypted=options.encrypted)
    while leave.is_set() and not end.is_set():  # neither the time nor the server ended it
        await back.wait()
        if not end.is_set():
            leave.clear()
            back.clear()
            await call(options.seconds, leave, silent=options.silent, encrypted=options.encrypted)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=float)
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--encrypted", action="store_true")
    parser.add_argument("--without-media", action="store_true")
    asyncio.run(main(parser.parse_args()))
    sys.stdout.flush()
    # The client library's threads can outlive the interpreter and abort it; the call is over.
    os._exit(0)
