from __future__ import annotations

import json

import pytest

from tests.view.test_stats import shown
from tracer.explain import Group, explain, words
from tracer.view.explain import EntryView, GroupView, WordsView, as_json
from tracer.view.stats import stage_names


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    shown(WordsView(words()), width)  # which looks at each line
    shown(GroupView(words()), width)
    for entry in words():
        shown(EntryView(entry), width)


def test_an_entry_shows_all_that_is_said_and_leaves_out_what_is_not() -> None:
    found = explain("job.offered")
    assert found is not None
    text = "\n".join(shown(EntryView(found), 80))
    assert "job.offered   moment: job offered\n\nThe server chose a worker" in text
    assert [
        heading
        for heading in ("caused by", "next", "common mistake", "known from", "LiveKit says so")
        if heading not in text
    ] == []
    assert "livekit-server 1.13.5, pkg/agent/worker.go" in text
    bare = explain("UTC")
    assert bare is not None
    assert "LiveKit says so" not in "\n".join(shown(EntryView(bare), 80))


def test_the_list_has_every_word_once_and_every_group() -> None:
    lines = shown(WordsView(words()), 100)
    assert [line.split()[0] for line in lines if line and not line.startswith((" ", "tracer"))] == [
        f"{g}s" for g in Group
    ]
    text = " ".join(" ".join(lines).split())
    assert [entry.word for entry in words() if entry.word not in text] == []


def test_a_group_says_what_each_word_is_called() -> None:
    text = "\n".join(shown(GroupView([entry for entry in words() if entry.group is Group.GAP]), 80))
    assert "  dispatch.created → job.offered      LiveKit server" in text


def test_the_json_is_null_where_nothing_is_said() -> None:
    found = as_json(words())
    assert json.loads(json.dumps(found)) == found
    assert found["schema"] == "tracer.explain/1"
    utc = next(one for one in found["words"] if one["word"] == "UTC")
    assert (utc["caused_by"], utc["advice"], utc["sources"]) == (None, None, [])
    assert {key for one in found["words"] for key in one} == set(utc)


def test_a_gap_is_found_by_the_name_that_it_has_where_there_is_little_room() -> None:
    gaps = [entry.word for entry in words() if entry.group is Group.GAP]
    for whole, short in zip(gaps, stage_names(gaps, 1), strict=True):
        found = explain(short)
        assert found is not None, short
        assert found.word == whole
