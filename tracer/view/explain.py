"""What words mean: one of them or the list, in a terminal and for programs."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.style import Style
from rich.text import Text

from tracer.explain import Group
from tracer.view.prose import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from tracer.explain import Entry
    from tracer.livekit_sources import Source

__all__ = ["EntryView", "GroupView", "WordsView", "as_json"]

WIDEST = 100
"""Columns; longer lines of prose are not read."""
HEADING = 16
"""Columns of a heading and the space behind it."""
WORD = 34
"""Columns of a word at the most, in a list with what each is called; a longer one has a line of its own."""
GAP = "  "
"""Between two words of a list."""


class EntryView:
    """A Rich renderable: what is said of one word."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        entry = self.entry
        head = Text(entry.word, style="bold")
        head.append(f"   {entry.group}: {entry.title}", style="not bold dim")
        yield from wrapped(console, head, width, 0, 2)
        yield Text()
        yield from wrapped(console, Text(entry.meaning), width, 0, 0)
        for heading, text in entry.said:
            yield Text()
            yield from _under(console, heading, Text(text), width)
        if entry.sources:
            yield Text()
        for number, source in enumerate(entry.sources):
            yield from _under(console, "" if number else "LiveKit says so", _cited(source, width), width)
        if entry.related:
            yield Text()
            yield from _under(console, "see also", Text(", ".join(entry.related)), width)


def _under(console: Console, heading: str, text: Text, width: int) -> Iterator[RenderableType]:
    """A text beside its heading, in lines that begin below each other."""
    for number, line in enumerate(text.wrap(console, width - HEADING)):
        line.rstrip()
        yield Text.assemble((f"{'' if number else heading:{HEADING}}", "cyan"), line)


def _cited(source: Source, width: int) -> Text:
    """A place in LiveKit's documentation or source; its address is shown where it fits on a line, and is the link."""
    text = Text(source.text, style=Style(link=source.url or None))
    if source.url and len(source.url) <= width - HEADING:
        text.append(f"\n{source.url}", style="dim")
    return text


class GroupView:
    """A Rich renderable: the words of some groups, a line for each with what it is called."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        for number, (group, entries) in enumerate(groupby(self.entries, key=lambda entry: entry.group)):
            if number:
                yield Text()
            yield Text(group.label, style="bold")
            yield from self._listed(console, list(entries), width)

    @staticmethod
    def _listed(console: Console, entries: Sequence[Entry], width: int) -> Iterator[RenderableType]:
        column = min(max(len(entry.word) for entry in entries), WORD) + len(GAP)
        for entry in entries:
            title = Text(entry.caused_by.rstrip(".") or entry.title if entry.group is Group.GAP else entry.title)
            lines = title.wrap(console, width - column - len(GAP))
            if len(entry.word) > column - len(GAP):
                yield Text(f"{GAP}{entry.word}", no_wrap=True)
                first = ""
            else:
                first = entry.word
            for number, line in enumerate(lines):
                line.rstrip()
                line.stylize("dim")
                yield Text.assemble(f"{GAP}{'' if number else first:{column}}", line)


class WordsView:
    """A Rich renderable: all words, one behind the other, by group."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        for group, entries in groupby(self.entries, key=lambda entry: entry.group):
            yield Text.assemble((f"{group}s", "bold"), (f"  {group.label.partition(': ')[2]}", "dim"))
            words = [entry.word for entry in entries]
            for line in words if group is Group.GAP else _filled(words, width - 2):
                yield Text(f"  {line}", no_wrap=True)
            yield Text()
        yield Text("tracer explain WORD says what one means; tracer explain causes lists that group.", style="dim")


def _filled(words: Sequence[str], width: int) -> Iterator[str]:
    """The words in lines of at most this many columns; none is broken."""
    line = ""
    for word in words:
        if line and len(line) + len(GAP) + len(word) > width:
            yield line
            line = ""
        line += (GAP if line else "") + word
    if line:
        yield line


def as_json(entries: Sequence[Entry]) -> dict[str, Any]:
    """What words mean as JSON types, schema ``tracer.explain/1``; what there is nothing to say of is null."""
    return {
        "schema": "tracer.explain/1",
        "words": [
            {
                "word": entry.word,
                "group": entry.group,
                "title": entry.title,
                "meaning": entry.meaning,
                "caused_by": entry.caused_by or None,
                "next": entry.following or None,
                "mistake": entry.mistake or None,
                "advice": entry.advice or None,
                "known_from": entry.known_from or None,
                "sources": [{"text": source.text, "url": source.url or None} for source in entry.sources],
                "related": list(entry.related),
            }
            for entry in entries
        ],
    }
