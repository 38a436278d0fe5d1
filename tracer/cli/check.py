"""`tracer check`"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tracer.cli.options import store_option

__all__ = ["command"]


@click.command("check", short_help="Check the orderings that must hold.")
@click.argument("rooms", nargs=-1, required=True, metavar="ROOM…")
@store_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "json", "junit"]),
    default="terminal",
    show_default=True,
    help="junit is for CI: a test suite for each room, a test case for each rule.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--all", "everything", is_flag=True, help="Everything that is violated or cannot be told, however much.")
@click.option("--width", type=click.IntRange(min=60), help="Columns to use, instead of the terminal's.")
def command(
    rooms: tuple[str, ...], store: str, form: str, output: Path | None, everything: bool, width: int | None
) -> None:
    """Check that each ROOM went in the order that LiveKit guarantees: a name (the latest of that name) or an SID.

    Ten rules, each of which holds, is violated, or cannot be told: no witness saw it, or the times are not sure enough.
    Clocks may differ: by how much at the least and the most follows from what must be in order, and is shown.

    Exits with 0 when what can be told holds, with 1 when something is violated, when nothing can be told of a room or
    it is not known, with 2 on misuse.

    \b
    Examples:
      tracer check my-room
      tracer check my-room another-room --format junit -o check.xml
    """
    from tracer.check import Outcome, check
    from tracer.errors import UnknownRoomError
    from tracer.store.load import read_timeline
    from tracer.view.check import write

    checks, unknown = [], []
    for room in rooms:
        try:
            checks.append(check(read_timeline(store, room)))
        except UnknownRoomError as error:
            unknown.append(error)
    if checks:  # what is known is told, also when something else is not
        write(checks, form, output, everything=everything, width=width)
    for nowhere in unknown:
        click.echo(f"tracer: {nowhere}", err=True)
    if unknown or any(one.answer is not Outcome.HOLDS for one in checks):
        sys.exit(1)
