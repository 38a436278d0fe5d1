from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.moments import ADA, ROOM, call
from tracer import keys
from tracer.moment import facts
from tracer.service.replay import timelines
from tracer.timeline.fold import fold
from tracer.view.mermaid import MOST_ROWS, mermaid

CALLS = Path(__file__).parents[1] / "calls"
TEXT = r"(?:[A-Za-z0-9 .,'()/+\-_]|#\d+;|[^\x00-\x7f])+"
LINES = re.compile(
    rf"    (?:participant (?P<named>[RPWA]\d*) as {TEXT}"
    rf"|(?P<a>[RPWA]\d*)(?:->>|-x)(?P<b>[RPWA]\d*): {TEXT}"
    rf"|Note over (?P<c>[RPWA]\d*)(?:,(?P<d>[RPWA]\d*))?: {TEXT})"
)
"""What Mermaid's grammar (sequenceDiagram.jison) reads as a participant, a message and a note."""


def held(diagram: str) -> list[str]:
    """Its lines, each of which Mermaid understands, and which speak of participants that were named before."""
    first, *lines = diagram.splitlines()
    assert first == "sequenceDiagram"
    known = set()
    for line in lines:
        found = LINES.fullmatch(line)
        assert found, line
        if found["named"]:
            known.add(found["named"])
        assert {found[name] for name in "abcd" if found[name]} <= known
    return lines


@pytest.mark.parametrize("name", ["ok_two_callers", "case_agent_cut", "s11_all_reject", "case_llm_dead", "ok_node"])
def test_a_diagram_is_what_mermaid_reads(name: str) -> None:
    for timeline in timelines(CALLS / f"{name}.jsonl.gz"):
        lines = held(mermaid(timeline))
        assert len("\n".join(lines)) < 50_000


def test_the_room_the_caller_the_worker_and_the_agent_talk_in_order() -> None:
    diagram = mermaid(fold(ROOM, call()))
    held(diagram)
    order = [diagram.index(text) for text in ("R as room demo", "ada JOINING", "job offered", "agent connected")]
    assert order == sorted(order)
    assert re.search(r"P\d->>R: .*ada ACTIVE", diagram)
    assert re.search(r"R->>W\d: .*job offered", diagram)
    assert re.search(r"A\d->>R: .*agent connected", diagram)
    assert "nothing came of it for 5.0 s" in diagram


@pytest.mark.parametrize("name", ["x; end", "a\nparticipant B", "%%{init: {}}%%", "<b>&#35;", "a->>b: c", "#59;"])
def test_a_name_is_text_and_nothing_else(name: str) -> None:
    moments = [
        replace(one, facts=facts({**dict(one.facts), keys.PARTICIPANT_IDENTITY: name})) if one.subject == ADA else one
        for one in call()
    ]
    assert len(held(mermaid(fold(ROOM, moments)))) == len(held(mermaid(fold(ROOM, call()))))


def test_a_long_room_is_cut_and_says_so() -> None:
    at = call()[0].time
    one = next(one for one in call() if one.subject == ADA)
    many = [
        replace(one, subject=f"PA_{number}", time=at + number, earliest=at + number, latest=at + number)
        for number in range(MOST_ROWS * 2)
    ]
    diagram = mermaid(fold(ROOM, [*call(), *many]), everything=True)
    held(diagram)
    assert re.search(r"… and \d+ more moments", diagram)
