"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tracer.settings import default_store

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["format_option", "output_option", "redact_option", "store_option", "width_option"]

_Command = TypeVar("_Command", bound="Callable[..., Any]")

store_option = click.option(
    "--store",
    default=default_store,
    metavar="PATH",
    show_default="TRACER_STORE, or a file in your state folder",
    help="The store of recorded events: a SQLite file.",
)
"""Where a command reads or keeps what it knows."""

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
    "--redact", is_flag=True, help="Keep and export no personal data: names, identities, attributes."
)
"""Whether personal data is left out."""


def format_option(*more: str, help: str | None = None) -> Callable[[_Command], _Command]:  # noqa: A002  click's word
    """A choice of ``terminal``, ``json`` and ``more``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["terminal", "json", *more]),
        default="terminal",
        show_default=True,
        help=help,
    )
