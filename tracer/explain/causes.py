"""Each cause of ``tracer why``, as its class has it."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from tracer.explain.entry import Entry, Group
from tracer.why import CAUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.why.cause import Cause

__all__ = ["causes"]


def causes() -> Iterator[Entry]:
    """Every cause, by symptom, the worst first."""
    for cause in CAUSES:
        meaning, known = _docstring(cause)
        yield Entry(
            word=cause.name,
            group=Group.CAUSE,
            title=cause.about,
            meaning=meaning or _sentence(cause.about),
            following=_sentence(f"what people notice: {cause.symptom.label}"),
            advice=cause.advice,
            known_from=known,
            sources=cause.said,
        )


def _docstring(cause: Cause) -> tuple[str, str]:
    """What a cause's docstring says: how LiveKit comes to do this, and how it is known that it did.

    Python with -OO has no docstrings: then both are empty.
    """
    text = " ".join((inspect.getdoc(type(cause)) or "").split())
    meaning, known = (text.partition("Known ")[::2]) if "Known " in text else (text, "")
    known = re.sub(r" ?Source: .*$", "", known).removeprefix("from ")
    known = f"{known[:1].upper()}{known[1:]}"
    return _plain(meaning.strip()), _plain(known.strip())


def _plain(text: str) -> str:
    """Without the marks of a docstring; a class is named by its cause."""
    named = {type(cause).__name__: cause.name for cause in CAUSES}
    return re.sub(r"``([^`]*)``", lambda match: named.get(match[1], f"`{match[1]}`"), text)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
