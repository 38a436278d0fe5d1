"""Evidence that a service had no time to read, read by whoever asks for a room before it is answered."""

from __future__ import annotations

import time
from contextlib import closing, suppress

from tracer.errors import StoreError
from tracer.store import open_reader

__all__ = ["read_unread"]

WAIT = 1.0
"""Seconds to wait for the service to let others write."""


def read_unread(store: str, within: float) -> int:
    """Read what nobody has, for so many seconds; how many pieces are left. Raises StoreError.

    Where the store cannot be written, or a service is busy with it, all of them are left.
    """
    with closing(open_reader(store)) as reader:
        if not reader.unread():
            return 0
        _read(store, within)
        return reader.unread()


def _read(store: str, within: float) -> None:
    from tracer.service.write_queue import read_some  # takes long to import, and is seldom needed
    from tracer.store import open_writer

    end = time.monotonic() + within
    with suppress(StoreError), closing(open_writer(store, wait=WAIT)) as writer:
        while time.monotonic() < end and read_some(writer):
            pass
