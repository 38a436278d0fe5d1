from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.moments import (
    ROOM,
)
from tracer.check import Outcome, RoomCheck, check
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Kind, Moment


HOUR = 3600 * NS_PER_S


def judged(*moments: Moment) -> RoomCheck:
    return check(fold(ROOM, moments))


def violated(checked: RoomCheck) -> list[int]:
    """The numbers of the rules that are."""
    return [j.rule.number for j in checked.judgements if j.answer is Outcome.VIOLATED]


def sentences(checked: RoomCheck, number: int, answer: Outcome | None = None) -> list[str]:
    verdicts = checked.judgements[number - 1].verdicts
    return [verdict.sentence for verdict in verdicts if answer in (None, verdict.answer)]


def swapped(moments: Iterable[Moment], one: tuple[Kind, str], other: tuple[Kind, str]) -> list[Moment]:
    """The call with the times of two steps exchanged."""
    every = list(moments)
    first, second = (next(m for m in every if (m.kind, m.subject) == which) for which in (one, other))
    times = {one: second, other: first}
    return [
        replace(m, earliest=to.earliest, time=to.time, latest=to.latest)
        if (to := times.get((m.kind, m.subject)))
        else m
        for m in every
    ]
