"""An answer to an assistant: the same as text and as structured content, together within a bound, page by page."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

from tracer.assistant.outside import NOTICE

__all__ = ["MOST_TOKENS", "Answer", "Item", "Told", "failed", "tokens"]

MOST_TOKENS = 1_450
"""Of an answer, by ``tokens``: text and structured content together, for some clients show both to the model."""
MOST_OF_A_HEAD = 120
"""Tokens of each line of the head, and of each text beside the list."""
MOST_OF_A_TEXT = 300
"""Tokens of each text of an item's content; its text for the model has twice as many."""
MOST_OF_AN_ITEM = 900
"""Tokens of an item, as text and as content: beside it there is room for the head."""
MOST_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class Item:
    """One of a list: a room, a moment, a finding."""

    text: str
    """For the model; each line of its own."""
    content: Any = None
    """The same as JSON types; without it, the text."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a client gets."""

    text: str
    content: dict[str, Any]
    is_error: bool = False


@dataclass
class Answer:
    """What is known, before it is cut into pages."""

    head: list[str]
    """Lines that every page begins with."""
    content: dict[str, Any] = field(default_factory=dict)
    """The same as JSON types, on every page."""
    items: list[Item] = field(default_factory=list)
    name: str = "items"
    """What the list is called in the structured content."""
    again: str = ""
    """How the next page is asked for, with ``{page}``, or with ``{after}`` for how many items came before it."""
    after: int = 0
    """How many items of the whole list came before these."""
    is_part: bool = False
    """Whether the list goes on after these."""
    following: list[str] = field(default_factory=list)
    """What to ask next, the most useful first."""

    def page(self, number: int) -> Told:
        """The page with this number, from 1; beyond the last one, a sentence that says so."""
        first = 0
        for at in range(1, min(max(number, 1), MOST_PAGES) + 1):
            shown = self._fill(first, at)
            last = first + len(shown)
            if at == max(number, 1):
                return self._told(shown, last, at)
            if last >= len(self.items):
                return failed(f"There is no page {number}: page {at} is the last.", pages=at)
            first = last
        return failed(f"There is no page {number}.")

    def _fill(self, first: int, page: int) -> list[Item]:
        """The items from ``first`` on that fit on a page: at least one does, cut where that is needed."""
        empty = self._told([], first, page)
        left = MOST_TOKENS - tokens(empty.text) - tokens(_json(empty.content)) - len(self.name)
        shown: list[Item] = []
        for item in self.items[first:]:
            cut = _cut(item, MOST_OF_AN_ITEM if shown else min(MOST_OF_AN_ITEM, left))
            left -= _size(cut) + 2
            if shown and left < 0:
                break
            shown.append(cut)
        return shown

    def _told(self, shown: list[Item], last: int, page: int) -> Told:
        rest = len(self.items) - last
        following = self.following
        if self.again and (rest or self.is_part):
            following = [*following[:1], self.again.format(page=page + 1, after=self.after + last), *following[1:]]
        lines = [_short(line, MOST_OF_A_HEAD) for line in self.head] + [item.text for item in shown]
        content: dict[str, Any] = _shortened(self.content, MOST_OF_A_HEAD)
        if self.items:
            content[self.name] = [item.content for item in shown]
        if rest or self.is_part:
            lines.append("… and more" if self.is_part else f"… and {rest} more")
            content["more"] = True
        if following:
            lines.append(f"next: {'; '.join(following)}")
            content["next"] = following
        return Told("\n".join([*lines, NOTICE]), {**content, "notice": NOTICE})


def failed(text: str, **content: Any) -> Told:
    """An answer that is none, with the reason in one line; like every answer it says what is data in it."""
    return Told(f"{text}\n{NOTICE}", {"error": text, **content, "notice": NOTICE}, is_error=True)


def tokens(text: str) -> int:
    """About how many tokens a text is, rather too many.

    Small letters and spaces are 2/9 each, other ASCII 7/9, for ids and numbers have more than words; all else is one a
    byte, the most there can be. Of no answer on any recorded call do OpenAI's o200k_base and cl100k_base count more.
    """
    return math.ceil(_ninths(text) / 9)


def _ninths(text: str) -> int:
    ascii_, small = sum(char < "\x80" for char in text), sum(char in _SMALL for char in text)
    return 2 * small + 7 * (ascii_ - small) + 9 * (len(text.encode("utf-8", "surrogatepass")) - ascii_)


_SMALL = frozenset("abcdefghijklmnopqrstuvwxyz ")


def _cut(item: Item, most: int) -> Item:
    """An item of at most so many tokens: where it has more, its texts are cut."""
    content = item.text if item.content is None else item.content
    of_a_text = MOST_OF_A_TEXT
    while True:
        cut = Item(_short(item.text, 2 * of_a_text), _shortened(content, of_a_text))
        if _size(cut) <= most or of_a_text < 10:
            return cut
        of_a_text //= 2


def _size(item: Item) -> int:
    return tokens(item.text) + tokens(_json(item.content))


def _shortened(content: Any, most: int) -> Any:
    if isinstance(content, str):
        return _short(content, most)
    if isinstance(content, dict):
        return {key: _shortened(value, most) for key, value in content.items()}
    return [_shortened(value, most) for value in content] if isinstance(content, list) else content


def _short(text: str, most: int) -> str:
    """A text of so many tokens at the most, also as JSON; a mark that was cut off, here or before, is closed."""
    if tokens(_json(text)) > most:
        left, at = 9 * (most - 7), 0  # ninths of a token; seven are for what is added
        while at < len(text) and (left := left - _ninths(_json(text[at])[1:-1])) >= 0:
            at += 1
        text = text[:at] + "…"
    return text + "»" if text.rfind("«") > text.rfind("»") else text


def _json(content: Any) -> str:
    """As it is sent, without spaces: what is counted is a little more than that."""
    return json.dumps(content, ensure_ascii=False)
