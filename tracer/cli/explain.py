"""`tracer explain`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracer.cli.completing import complete_word
from tracer.cli.options import format_option, output_option, width_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command("explain", short_help="Say what a word, a sign or a number that tracer shows means.")
@click.argument("word", nargs=-1, shell_complete=complete_word)
@format_option()
@output_option
@width_option
def command(word: tuple[str, ...], form: str, output: Path | None, width: int | None) -> None:
    """Say what a WORD means: what it is, who causes it, what comes next, the common mistake, and where LiveKit says so.

    WORD is whatever tracer shows: a moment, state, gap, cause, rule or its number, column, answer or sign, or an id.
    Case, dots, hyphens and plural do not matter.
    Without a word all are listed, by group; with a group (causes, moments, …) those of it, each with what it is called.

    \b
    Examples:
      tracer explain
      tracer explain job offered
      tracer explain no-worker
      tracer explain "dispatch.created -> job.offered"
      tracer explain causes
      tracer explain 3
    """
    from tracer.errors import UnknownWordError
    from tracer.explain import explain, group_named, nearest, words
    from tracer.view.explain import EntryView, GroupView, WordsView, as_json
    from tracer.view.write import write_json, write_view

    asked = " ".join(word)
    group = group_named(asked)
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
