from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from tests.moments import ADA, ROOM, call
from tracer import keys
from tracer.moment import Kind, facts
from tracer.timeline.fold import fold
from tracer.view.csv import COLUMNS, as_csv


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_there_is_a_row_for_each_step_with_all_that_is_known_of_it() -> None:
    timeline = fold(ROOM, call())
    found = rows(as_csv(timeline))
    assert len(found) == len(timeline.steps)
    assert list(found[0]) == list(COLUMNS)
    for row, step in zip(found, timeline.steps, strict=True):
        assert row["kind"] == step.kind
        assert (int(row["earliest_ns"]), int(row["latest_ns"])) == (step.earliest, step.latest)
        assert float(row["offset_ms"]) * 1e6 == pytest.approx(step.time - timeline.zero, abs=1)
        assert row["witnesses"].split() == sorted(step.witnesses)


@pytest.mark.parametrize("name", ["=1+1", "+49", "-2", "@SUM(A1)", '=HYPERLINK("http://x","y")', "a,b\n\"c'", "\t=1"])
def test_no_name_is_a_formula_and_none_ends_its_cell(name: str) -> None:
    told = {keys.PARTICIPANT_IDENTITY: name, keys.PARTICIPANT_KIND: "STANDARD"}
    moments = [replace(one, facts=facts({**dict(one.facts), **told})) if one.subject == ADA else one for one in call()]
    found = rows(as_csv(fold(ROOM, moments)))
    assert len(found) == len(fold(ROOM, moments).steps)
    (joined,) = [row for row in found if row["kind"] == Kind.PARTICIPANT_JOINED]
    assert name.strip()[:2] in joined["name"]
    for row in found:
        texts = (row[column] for column in COLUMNS if column != "offset_ms")
        assert not [text for text in texts if text.startswith(("=", "+", "-", "@", "\t", "\r"))]
