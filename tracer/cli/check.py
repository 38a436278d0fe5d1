"""`tracer check`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tracer.cli.completing import complete_room
from tracer.cli.options import format_option, output_option, read_store_option, width_option

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracer.check import RoomCheck

__all__ = ["command"]


@click.command("check", short_help="Check that a room's events are in the order LiveKit guarantees.")
@click.argument("rooms", nargs=-1, required=True, metavar="ROOM…", shell_complete=complete_room)
@read_store_option
@format_option("junit", help="junit is for CI: a test suite for each room, a test case for each rule.")
@output_option
@click.option("--all", "everything", is_flag=True, help="Show everything that fails or is inconclusive.")
@width_option
def command(
    rooms: tuple[str, ...], store: str, form: str, output: Path | None, everything: bool, width: int | None
) -> None:
    """Check that the events of each ROOM happened in the order that LiveKit guarantees.

    Each of the ten rules passes, fails or is inconclusive (not observed, or timestamps too imprecise).

    ROOM is a name (the latest room of that name), an SID or the FILE of a recording, of which every room is checked.
    Clock skew between machines is not a failure: how far each clock is ahead of the server's follows from what must be
    in order, and is shown.

    Exits 0 when every room passes, 1 when a rule fails, when a room is unknown or all its rules are inconclusive, 2 on
    misuse.

    \b
    Examples:
      tracer check my-room
      tracer check my-room another-room --format junit -o check.xml
    """
    from tracer.check import Outcome, check
    from tracer.cli.room import read_rooms
    from tracer.errors import UnknownRoomError

    checks: list[RoomCheck] = []
    unknown: list[UnknownRoomError] = []
    for room in rooms:
        try:
            checks.extend(map(check, read_rooms(store, room)))
        except UnknownRoomError as error:
            unknown.append(error)
    if checks:  # what is known is shown, even where another room is unknown
        _write(checks, form, output, everything=everything, width=width)
    for missing in unknown:
        click.echo(f"tracer: {missing}", err=True)
    if unknown or any(one.answer is not Outcome.HOLDS for one in checks):
        sys.exit(1)


def _write(checks: Sequence[RoomCheck], form: str, output: Path | None, *, everything: bool, width: int | None) -> None:
    from tracer.view.write import write_json, write_text, write_view

    if form == "json":
        from tracer.view.check_json import as_json

        write_json(as_json(checks), output)
    elif form == "junit":
        from tracer.view.junit import junit

        write_text(junit(checks), output)
    else:
        from tracer.view.check import CheckView

        write_view(*(CheckView(check, everything=everything) for check in checks), output=output, width=width)
