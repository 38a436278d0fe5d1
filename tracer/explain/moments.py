"""Each kind of moment, as the tables of ``tracer.kinds`` have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.explain.entry import Entry, Group
from tracer.kinds import Kind
from tracer.timeline.precedence import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["moments"]


def moments() -> Iterator[Entry]:
    """Every kind, in causal order."""
    for kind in Kind:
        info = kind.info
        yield Entry(
            word=kind.value,
            group=Group.MOMENT,
            title=info.phrase.format(who="somebody"),
            meaning=info.meaning,
            caused_by=info.cause,
            following=info.following,
            mistake=info.mistake,
            known_from=f"{info.source[:1].upper()}{info.source[1:]}.",
            sources=info.said,
            related=tuple(dict.fromkeys(row.guarantee.value for row in TABLE if kind in (row.cause, row.effect))),
            aliases=(info.phrase.format(who="").strip(),),
        )
