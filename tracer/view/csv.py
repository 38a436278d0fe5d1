"""Every moment of a room as a row of comma-separated values (RFC 4180), for a spreadsheet or a data frame."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from tracer.units import NS_PER_MS, rfc3339
from tracer.view.failed import has_failed
from tracer.view.names import name_of
from tracer.view.text import plain
from tracer.view.wording import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.timeline.timeline import Timeline
    from tracer.why import Finding

__all__ = ["COLUMNS", "as_csv"]

COLUMNS = (
    "offset_ms",
    "time",
    "earliest_ns",
    "latest_ns",
    "kind",
    "subject",
    "name",
    "what",
    "detail",
    "witnesses",
    "clock",
    "failed",
    "contradicted",
)
"""The first row. Times are those of JSON: ``docs/json.md``."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With these a cell begins that a spreadsheet computes: https://owasp.org/www-community/attacks/CSV_Injection."""


def as_csv(timeline: Timeline, findings: Iterable[Finding] = ()) -> str:
    """A row for each step, in their order. A text that a spreadsheet would compute has ``'`` before it."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    named = list(findings)
    for step in timeline.steps:
        what, detail = say(timeline, step)
        texts = (
            step.kind.value,
            plain(step.subject),
            name_of(timeline, step.subject),
            what,
            detail,
            " ".join(map(plain, sorted(step.witnesses))),
            plain(step.clock),
        )
        rows.writerow(
            [
                (step.time - timeline.zero) / NS_PER_MS,
                rfc3339(step.time),
                step.earliest,
                step.latest,
                *map(_inert, texts),
                str(has_failed(timeline, step, named)).lower(),
                str(step.contradicted).lower(),
            ]
        )
    return file.getvalue()


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
