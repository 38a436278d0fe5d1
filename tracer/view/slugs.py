"""The values that programs compare, for the documentation: ``python -m tracer.view.slugs`` prints the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import CheckName, State
from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

__all__ = ["BEGIN", "END", "SCHEMAS", "SLUGS", "table"]

BEGIN = "<!-- slugs:begin -->"
"""Stands before the table in a document."""
END = "<!-- slugs:end -->"
"""Stands after the table in a document."""

SCHEMAS = ("timeline", "rooms", "check", "why", "stats", "compare", "doctor")
"""Commands with ``--format json``; the schema of each is ``tracer.COMMAND/1``."""

SLUGS: dict[str, tuple[tuple[str, ...], Iterable[StrEnum]]] = {
    "kind": (("timeline", "check", "why"), Kind),
    "check": (("doctor",), CheckName),
    "state": (("doctor",), State),
}
"""A field's name: the commands in whose JSON it is, and its values. Values can be added."""


def table() -> str:
    """A row for each field; ends with a line end."""
    rows = ["| field | in the JSON of | values |", "|---|---|---|"]
    for field, (commands, values) in SLUGS.items():
        shown = " ".join(f"`{value}`" for value in values)
        rows.append(f"| `{field}` | {', '.join(commands)} | {shown} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(), end="")
