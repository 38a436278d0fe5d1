"""`tracer explain`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracer.cli.completing import complete_word
from tracer.cli.options import format_option, output_option, width_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command("explain", short_help="Say what a word means: a moment, state, gap, cause, rule or column.")
@click.argument("word", nargs=-1, shell_complete=complete_word)
@format_option()
@output_option
@width_option
def command(word: tuple[str, ...], form: str, output: Path | None, width: int | None) -> None:
    """Say what a WORD means: what it is, who causes it, what comes next, the common mistake, and where LiveKit says so.

    WORD is a moment, state, gap, cause, rule or column, as tracer shows it; case, dots and hyphens do not matter.
    Without a word all are listed, by group; with a group (causes, moments, …) those of it, each with what it is called.

    \b
    Examples:
      tracer explain
      tracer explain job offered
      tracer explain no-worker
      tracer explain "dispatch.created -> job.offered"
      tracer explain causes
    """
    from tracer.errors import UnknownWordError
    from tracer.explain import Group, explain, nearest, words
    from tracer.view.explain import EntryView, GroupView, WordsView, as_json
    from tracer.view.write import write_json, write_view

    asked = " ".join(word)
    group = next((one for one in Group if asked.casefold() == f"{one}s"), None)
    if group or not asked:
        found = [entry for entry in words() if group in (None, entry.group)]
        view: GroupView | WordsView | EntryView = GroupView(found) if group else WordsView(found)
    else:
        entry = explain(asked)
        if entry is None:
            raise UnknownWordError(asked, nearest(asked))
        found, view = [entry], EntryView(entry)
    if form == "json":
        write_json(as_json(found), output)
    else:
        write_view(view, output=output, width=width)
