"""The values that programs compare, for the documentation: ``python -m tracer.view.slugs`` prints the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.check.verdict import Outcome
from tracer.doctor.diagnosis import CheckName, State
from tracer.kinds import Kind
from tracer.latency.compare import GapState
from tracer.latency.owner import Owner
from tracer.latency.summary import Counted
from tracer.timeline.provenance import CreatedBy, EndReason, Mode
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

__all__ = ["SCHEMAS", "SLUGS", "table"]

SCHEMAS = ("timeline", "rooms", "check", "why", "stats", "compare", "doctor", "store")
"""Commands with ``--format json``; the schema of each is ``tracer.COMMAND/1``."""

SLUGS: dict[str, tuple[tuple[str, ...], Iterable[StrEnum]]] = {
    "kind": (("timeline", "check", "why"), Kind),
    "owner": (("timeline", "stats", "compare"), Owner),
    "mode": (("timeline",), Mode),
    "created_by": (("timeline",), CreatedBy),
    "end_reason": (("timeline",), EndReason),
    "answer": (("check",), Outcome),
    "counted": (("stats", "compare"), Counted),
    "a_state, b_state": (("compare",), GapState),
    "symptom": (("why",), Symptom),
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
