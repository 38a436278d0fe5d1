"""Markdown of texts that were written for the terminal: docstrings, help, and the tables of kinds and causes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["anchor", "cell", "prose", "sentence", "table"]

_CODE = re.compile(r"(``[^`]+``|`[^`]+`)")
_OPTION = re.compile(r"(?<![\w`-])--[a-z][a-z-]*")


def prose(text: str) -> str:
    """A text with its code and its options in backticks; what else would be markup is shown as it is."""
    parts = _CODE.split(text.strip())
    parts[::2] = (_OPTION.sub(r"`\g<0>`", part) for part in parts[::2])
    parts = _CODE.split("".join(parts))
    parts[::2] = (re.sub(r"([\\*_<\[])", r"\\\1", part) for part in parts[::2])
    parts[1::2] = (part.replace("``", "`") for part in parts[1::2])
    return "".join(parts)


def sentence(text: str) -> str:
    """A fragment as a sentence: with a capital, unless it begins with code or a name, and a full stop."""
    text = text.strip()
    return prose(f"{text[:1].upper()}{text[1:]}".rstrip(".") + ".")


def cell(text: str) -> str:
    """A text in one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table, of cells that are Markdown; empty without rows."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell(one) for one in line)} |" for line in lines) + "\n" if rows else ""


def anchor(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
