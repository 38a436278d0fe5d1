"""Options that several commands share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tracer.cli.unread import caught_up
from tracer.export.span_names import SpanNames
from tracer.settings import default_store
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "format_option",
    "keep_options",
    "output_option",
    "read_store_option",
    "redact_option",
    "span_names_option",
    "store_option",
    "width_option",
]

_Command = TypeVar("_Command", bound="Callable[..., Any]")

_STORE: dict[str, Any] = {
    "default": default_store,
    "metavar": "STORE",
    "show_default": "TRACER_STORE, or a file in your state folder",
    "help": "The store of recorded events: a SQLite file, or postgresql://user@host/database.",
}

store_option = click.option("--store", **_STORE | {"help": _STORE["help"][:-1] + "; none: only export."})
"""Where a command keeps what comes in."""

read_store_option = click.option("--store", callback=caught_up, **_STORE)
"""Where a command reads what it answers from."""

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file instead of standard output.",
)
"""A file to write to."""

width_option = click.option(
    "--width", type=click.IntRange(min=60), help="Columns to use, instead of the terminal's width."
)
"""How wide the terminal's form is."""

redact_option = click.option(
    "--redact/--no-redact",
    default=False,
    envvar="TRACER_REDACT",
    show_envvar=True,
    help="Keep and export no personal data: names, identities, attributes.",
)
"""Whether personal data is left out."""


def span_names_option(default: SpanNames = SpanNames.FEW, **more: Any) -> Callable[[_Command], _Command]:
    """What stands in the names of the spans that are exported; ``more`` is for click."""
    return click.option(
        "--span-names",
        type=click.Choice([names.value for names in SpanNames]),
        callback=lambda _context, _option, value: SpanNames(value),
        default=default.value,
        show_default=True,
        help="full: room, identity and agent's name stand in the names of exported spans, for development.",
        **more,
    )


class _Measure(click.ParamType):  # type: ignore[type-arg]  # click 8.1 has no type argument
    """A number with a unit, as a whole number of the smallest."""

    def __init__(self, name: str, units: dict[str, int]) -> None:
        self.name = name
        self._units = units

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d{1,9})\s*([A-Za-z]+)", str(value).strip())
        if not found or found[2] not in self._units or not int(found[1]):
            self.fail(f"{value!r}: a number and {' or '.join(self._units)}, as {self.name}", param, ctx)
        return int(found[1]) * self._units[found[2]]


_AGE = _Measure("30d", {"m": 60 * NS_PER_S, "h": 3600 * NS_PER_S, "d": 86_400 * NS_PER_S})
_SIZE = _Measure("2GB", {"MB": 1000**2, "GB": 1000**3, "TB": 1000**4})


def keep_options(command: _Command) -> _Command:
    """For how long rooms are kept, and how much of them."""
    keep = click.option("--keep", type=_AGE, metavar="TIME", help="Forget rooms that are older, as 30d or 12h.")
    most = click.option(
        "--max-size",
        type=_SIZE,
        show_default="2GB for a file, none for a database",
        metavar="SIZE",
        help="Forget the oldest rooms where the store is larger.",
    )
    return keep(most(command))


def format_option(*more: str, help: str | None = None) -> Callable[[_Command], _Command]:  # noqa: A002  click's word
    """A choice of ``terminal``, ``json`` and ``more``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["terminal", "json", *more]),
        default="terminal",
        show_default=True,
        help=help or "terminal is for people, json for programs.",
    )
