"""How a user stops a service: SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading

__all__ = ["end_in_time", "stop_event"]

log = logging.getLogger("tracer")

LAST = 4.5
"""Seconds that a service may take to end: Docker kills after ten, others after five."""


def stop_event() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set, in place of ending the process. Call it on the main thread's loop."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    return stopped


def end_in_time() -> None:
    """Let this process be gone after ``LAST``, though it waits for a database or a disk that will never answer."""
    last = threading.Timer(LAST, _end)
    last.daemon = True
    last.start()


def _end() -> None:
    log.warning("ended though something did not answer: what was acknowledged is stored, the rest will be sent again")
    logging.shutdown()
    os._exit(0)
