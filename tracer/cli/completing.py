"""What a shell is offered for a ROOM, a WORD or a SCENARIO."""

from __future__ import annotations

import re
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from tracer.errors import TracerError

if TYPE_CHECKING:
    import click

__all__ = ["complete_room", "complete_scenario", "complete_word"]

COMPLETED = 200
"""Rooms, the latest, whose names and SIDs are offered."""
_HARMLESS = re.compile(r"[A-Za-z0-9_.+@-]{1,80}")
"""A name that means nothing else to any shell."""


def complete_room(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Names and SIDs of the latest rooms that begin like this, without those that a shell could take for more.

    Nothing where the store cannot be read.
    """
    from tracer.settings import default_store, load_env
    from tracer.store import open_reader

    with suppress(TracerError, OSError):
        load_env()
        with closing(open_reader(ctx.params.get("store") or default_store())) as reader:
            names = [name for row in reader.rooms(COMPLETED) for name in (row.name, row.sid) if name]
        return [name for name in dict.fromkeys(names) if name.startswith(incomplete) and _HARMLESS.fullmatch(name)]
    return []


def complete_word(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """What `tracer explain` knows that begins like this: groups and words, without those that a shell would split."""
    from tracer.explain import Group, words

    known = (*(f"{group}s" for group in Group), *(entry.word for entry in words()))
    return [word for word in known if word.startswith(incomplete) and _HARMLESS.fullmatch(word)]


def complete_scenario(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Scenarios of `tracer demo` that begin like this, those that fail included."""
    from tracer.demo.failures import FAILURES
    from tracer.demo.scenarios import SCENARIOS

    return [name for name in (*SCENARIOS, *FAILURES) if name.startswith(incomplete)]
