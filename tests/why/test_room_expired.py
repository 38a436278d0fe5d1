"""A room that was made ahead, and closed before its caller came."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ABOUT_ROOM, ADA, AGENT, DISPATCH, JOB, MICROPHONE, ROOM, SESSION, _webhook, ms
from tests.why.cases import BEFORE, NAMED, Case, check, healthy, in_room, lonely, moved, registered, timeline, without
from tracer import keys
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment

EMPTY = 300_000
"""ms until a room that nobody joins closes."""


def made_ahead(agent_name: str = "helper") -> list[Moment]:
    """A room that CreateRoom made with this agent, and that closed 20 s before ada came."""
    kept = [m for m in lonely(agent_name) if m.subject in (ROOM, DISPATCH) and m.kind is not Kind.ROOM_FINISHED]
    made = [*kept, _webhook(Kind.ROOM_FINISHED, ROOM, EMPTY + 500, ABOUT_ROOM)]
    return in_room(BEFORE, [moved(m, -EMPTY - 20_500) for m in made])


EXPIRED = (
    Case(
        "made ahead, with an agent",
        "room-expired",
        lonely(),
        "Agent 'helper' was dispatched to the room of this name before this one (RM_before), which closed by its"
        " empty_timeout (300 s), as nobody had joined it. ada came 20.0 s later",
        ((Kind.ROOM_FINISHED, BEFORE), (Kind.DISPATCH_CREATED, DISPATCH), (Kind.PARTICIPANT_JOINING, ADA)),
        registered(name="helper"),
        earlier=made_ahead(),
    ),
)


@pytest.mark.parametrize("case", EXPIRED, ids=lambda case: case.label)
def test_it_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("earlier", [made_ahead(""), in_room(BEFORE, [moved(m, -60_000) for m in lonely("helper")])])
def test_a_room_that_asked_for_nobody_or_that_somebody_had_joined(earlier: list[Moment]) -> None:
    room = timeline(lonely(), registered(name="helper"))
    before = fold(BEFORE, earlier, now=ms(60_000))
    names = [finding.cause.name for finding in explain(replace(room, earlier=before)).findings]
    assert "room-expired" not in names
    assert names


def test_the_room_itself_says_that_nobody_came_and_who_came_too_late() -> None:
    agents = [
        m for m in healthy() if m.subject in (AGENT, JOB, DISPATCH, SESSION) and m.kind is not Kind.SESSION_LINKED
    ]
    room = [*without(healthy(), ADA, MICROPHONE), *agents]
    room = [m for m in room if m.kind is not Kind.ROOM_FINISHED]
    known = fold(ROOM, [*room, _webhook(Kind.ROOM_FINISHED, ROOM, EMPTY + 500, ABOUT_ROOM)], now=ms(EMPTY + 90_000))
    assert explain(known).summary.endswith(" s, until the room closed by its empty_timeout (300 s).")
    later = fold(NAMED, in_room(NAMED, [moved(m, EMPTY + 10_500) for m in healthy()]), now=ms(EMPTY + 90_000))
    assert explain(replace(known, later=later)).summary.endswith(
        "closed by its empty_timeout (300 s); ada joined a new room of this name (AD_named) 10.0 s later."
    )


def test_a_room_that_a_caller_left_says_nothing_of_it() -> None:
    assert "empty_timeout" not in explain(timeline(healthy())).summary
    assert keys.ROOM_EMPTY_TIMEOUT in ABOUT_ROOM
