"""Each rule of ``tracer check``, as its class has it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from tracer.check import RULES
from tracer.explain.entry import Entry, Group

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["rules"]


def rules() -> Iterator[Entry]:
    """Every rule, by number."""
    for rule in RULES:
        text = " ".join((inspect.getdoc(type(rule)) or "").split()).replace("``", "`")
        yield Entry(
            word=str(rule.name),
            group=Group.RULE,
            title=rule.sentence,
            meaning=text or f"{rule.sentence[0].upper()}{rule.sentence[1:]}.",
            known_from=f"Inconclusive where {rule.missing}.",
            mistake=f"Believed, and not guaranteed: {rule.believed}" if rule.believed else "",
            sources=rule.said,
            aliases=(f"rule {rule.number}", str(rule.number), f"#{rule.number}"),
        )
