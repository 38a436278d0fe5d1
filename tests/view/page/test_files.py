"""The page as one file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tracer.service.replay import timelines
from tracer.view.page.files import CONTENT_TYPES, one_file, static
from tracer.view.page.room import as_json

CALLS = Path(__file__).parents[2] / "calls"


def test_one_file_asks_for_nothing_and_names_what_it_runs_by_its_hash() -> None:
    text = one_file([{"room": "</script><script>alert(1)</script>"}], "a < b")
    assert "<title>a &lt; b</title>" in text
    assert "</script><script>alert" not in text
    assert re.findall(r"<(?:script|link)[^>]+(?:src|href)=\"(?!data:)[^\"]+", text) == []
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert policy[1].count("'sha256-") == len(CONTENT_TYPES)
    assert "unsafe" not in policy[1]


def test_d3_is_as_it_was_published_and_has_its_licence_beside_it() -> None:
    assert static("d3.min.js").startswith(b"// https://d3js.org v7.9.2 Copyright")
    assert b"Permission to use, copy, modify" in static("d3.LICENSE")


@pytest.mark.parametrize("path", sorted(CALLS.glob("*.jsonl.gz")), ids=lambda path: path.name.partition(".")[0])
def test_every_recorded_call_can_be_shown(path: Path) -> None:
    for timeline in timelines(path):
        shown = json.loads(json.dumps(as_json(timeline), allow_nan=False))
        ids = {lane["id"] for lane in shown["lanes"]}
        assert {row["lane"] for row in shown["rows"]} <= {None, *ids}
        assert len(shown["rows"]) > 1
        assert all(row["earliest_ms"] <= row["at_ms"] <= row["latest_ms"] for row in shown["rows"])
