"""Evidence that a service had no time to read, read before a command answers."""

from __future__ import annotations

import time
from contextlib import closing, suppress

import click

from tracer.errors import StoreError
from tracer.store import open_reader
from tracer.units import plural

__all__ = ["caught_up"]

WITHIN = 5.0
"""Seconds that a command spends on what was not read."""
WAIT = 1.0
"""Seconds that it waits for the service to let it write."""


def caught_up(_: click.Context, __: click.Parameter, store: str) -> str:
    """The store, of which all evidence is read; what is not is noted on standard error. A callback of ``--store``."""
    try:
        with closing(open_reader(store)) as reader:
            if not reader.unread():
                return store
            _read(store)
            left = reader.unread()
    except StoreError:
        return store  # the command itself will say what is wrong
    if left:
        click.echo(
            f"{left} {plural(left, 'request')} that came in {'is' if left == 1 else 'are'} not read yet, and what"
            f" {'it reports' if left == 1 else 'they report'} is missing here: ask again in a minute",
            err=True,
        )
    return store


def _read(store: str) -> None:
    """Read what was not, for a while; a file that cannot be written, or a busy service, ends that."""
    from tracer.service.write_queue import read_some
    from tracer.store import Task, open_writer

    end = time.monotonic() + WITHIN
    with suppress(StoreError), closing(open_writer(store, wait=WAIT)) as writer:
        exported = not writer.may(Task.EXPORT)  # a service does, to which the spans are left
        while time.monotonic() < end and read_some(writer, exported=exported):
            pass
