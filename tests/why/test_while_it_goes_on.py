"""What `why` says of each recorded call while it goes on, moment by moment, as its lines came in."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.calls.expected import EXPECTED
from tests.why.varied import came_at, neighbours, placed, recorded
from tracer.timeline.fold import fold
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.moment import Moment
    from tracer.timeline.timeline import Timeline

QUESTIONS = NS_PER_S // 2
"""Somebody asks this often, ns, and whenever something came."""
AT_ONCE = 20 * NS_PER_MS
"""What comes so soon after something else, ns, is asked about once."""
GLANCE = 500 * NS_PER_MS
"""What is said for less than this, ns, nobody reads: the API and a webhook tell of one leave so far apart."""
KNOWN_TO_COME = 3 * NS_PER_S
"""Somebody asks until so long after the last line, ns."""


class Said(NamedTuple):
    """What was said at a time."""

    at: int
    well: bool | None
    summary: str
    causes: dict[str, bool]
    """Each with whether it is certain."""


def told(name: str) -> Iterator[tuple[int, list[Timeline]]]:
    """The rooms of a recording as they are known at one time after the other, ns."""
    lines = recorded(name)
    times = came_at(lines)
    asked = sorted({*times, *range(times[0], times[-1] + KNOWN_TO_COME, QUESTIONS)})
    for at in [asked[0], *(later for before, later in pairwise(asked) if later - before > AT_ONCE)]:
        rooms: dict[str, list[Moment]] = defaultdict(list)
        for moment in placed(line for line, came in zip(lines, times, strict=True) if came <= at):
            rooms[moment.room].append(moment)
        workers = rooms.pop("", [])
        yield at, neighbours(fold(sid, own, workers=workers, now=at) for sid, own in rooms.items() if sid[:3] == "RM_")


def history(name: str) -> dict[str, list[Said]]:
    """Of each room what was said, in order."""
    found: dict[str, list[Said]] = defaultdict(list)
    for at, rooms in told(name):
        for room in rooms:
            answer = explain(room)
            causes = {finding.cause.name: finding.certain for finding in answer.findings}
            found[room.room.sid].append(Said(at, answer.well, answer.summary, causes))
    return found


def taken_back(said: list[Said]) -> Iterator[str]:
    """What was said and, later, not any more."""
    last = said[-1]
    said = [one for one, later in pairwise(said) if later.at - one.at > GLANCE] + [last]
    for before, now in pairwise(said):
        for cause, certain in before.causes.items():
            if cause in last.causes and cause not in now.causes:
                yield f"{cause} is gone for a while: {now.summary}"
            if certain and not now.causes.get(cause):
                yield f"{cause} is no longer certain: {now.summary}"
    for one in said:
        if last.well and (one.causes or one.well is False):
            yield f"of a call that went well: {one.summary}"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_is_certain_while_a_call_goes_on_stays_so(name: str) -> None:
    assert not {text for said in history(name).values() for text in taken_back(said)}
