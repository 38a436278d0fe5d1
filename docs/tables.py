"""Fills the tables of these pages that repeat what the code says. Run it when a cause or a scenario changed.

    python docs/tables.py

Each table stands between ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``; `tests/test_docs.py` fails when one is out
of date.
"""

from __future__ import annotations

from pathlib import Path

from tracer.demo.failures import FAILURES
from tracer.why import CAUSES

DOCS = Path(__file__).parent


def questions() -> str:
    """What people ask, with the scenario that makes it and the cause that answers it."""
    rows = [f"| {one.question} | `tracer demo {name}` | `{one.cause}` |" for name, one in FAILURES.items()]
    return "\n".join(["| what people ask | made by | `why` names |", "|---|---|---|", *rows])


def causes() -> str:
    """Every cause of `tracer why`."""
    rows = [f"| `{one.name}` | {one.symptom.word} | {one.about} | {one.advice} |" for one in CAUSES]
    return "\n".join(["| cause | symptom | what it is | what to do |", "|---|---|---|---|", *rows])


PAGES = {"causes.md": {"questions": questions, "causes": causes}}
"""For each page its tables, by the name between its marks."""


def filled(page: str) -> str:
    """The text of a page with its tables made anew."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, table in PAGES[page].items():
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{table()}\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    for page in PAGES:
        (DOCS / page).write_text(filled(page), encoding="utf-8")
