"""Evidence that a service had no time to read, read before a command answers."""

from __future__ import annotations

import click

from tracer.errors import StoreError
from tracer.service.unread import read_unread
from tracer.units import plural

__all__ = ["caught_up"]

WITHIN = 5.0
"""Seconds that a command spends on what was not read."""


def caught_up(_: click.Context, __: click.Parameter, store: str) -> str:
    """The store, of which all evidence is read; what is not is noted on standard error. A callback of ``--store``."""
    try:
        left = read_unread(store, WITHIN)
    except StoreError:
        return store  # the command itself will say what is wrong
    if left:
        click.echo(
            f"{left} {plural(left, 'request')} that came in {'is' if left == 1 else 'are'} not read yet, and what"
            f" {'it reports' if left == 1 else 'they report'} is missing here: ask again in a minute",
            err=True,
        )
    return store
