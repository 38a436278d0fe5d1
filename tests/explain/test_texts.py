"""What is said of a word, held to what can be looked up: the views' headings, and livekit-agents' own files."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.moments import ROOM, call
from tests.view.test_stats import shown
from tracer.check import RULES
from tracer.explain import Group, words
from tracer.kinds import Kind
from tracer.latency.owner import SPENDS, Owner
from tracer.livekit_sources import AGENTS_VERSION, Page, Source
from tracer.timeline.fold import fold
from tracer.view.rooms import COLUMNS
from tracer.view.terminal import TimelineView
from tracer.why import CAUSES

COLUMN = {entry.word for entry in words() if entry.group is Group.COLUMN}


def test_every_kind_and_cause_says_where_livekit_says_so() -> None:
    assert [kind for kind in Kind if not kind.info.said] == []
    assert [cause.name for cause in CAUSES if not cause.said] == []
    assert {rule.name for rule in RULES if not rule.said} == {"clocks"}  # which is about clocks, not about LiveKit


def test_every_owner_says_with_what_it_spends_the_time() -> None:
    assert SPENDS.keys() == set(Owner)


def test_every_column_of_the_tables_is_explained() -> None:
    lines = shown(TimelineView(fold(ROOM, call())), 200)
    headings = next(line for line in lines if "accuracy" in line).split()
    assert set(headings) <= COLUMN
    assert {column.name for column in COLUMNS} - {"", "room"} <= COLUMN


def test_texts_are_sentences_without_marks_of_a_docstring() -> None:
    for entry in words():
        for text in (entry.meaning, *(text for _, text in entry.said)):
            assert re.search(r"[.:”)]$", text), (entry.word, text)
            assert "``" not in text, (entry.word, text)
            assert text[0].isupper() or not text[0].isalpha() or text.startswith(("livekit", "empty")), text
            assert "\n" not in text, entry.word


def sources() -> list[Source]:
    return [source for entry in words() for source in entry.sources]


def test_addresses_are_of_livekit_and_end_as_their_pages_do() -> None:
    pages = {page for name, page in vars(Page).items() if not name.startswith("_")}
    assert all(page.url.startswith("https://docs.livekit.io/") and page.url.endswith("/") for page in pages)
    assert pages <= set(sources())
    others = {source.url for source in sources() if source not in pages and source.url}
    assert all(url.startswith("https://github.com/livekit/") for url in others)


def test_files_of_livekit_agents_are_there() -> None:
    spec = find_spec("livekit.agents")
    if spec is None or spec.origin is None:
        pytest.skip("livekit-agents is not installed")
    folder = Path(spec.origin).parent
    named = {source.text.partition("livekit/agents/")[2] for source in sources() if AGENTS_VERSION in source.text}
    assert len(named) > 10
    assert [name for name in sorted(named) if not (folder / name).exists()] == []
