"""Laws of every recorded call: what it is called changes nothing, and what is lost makes nothing sure."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.calls.expected import EXPECTED
from tests.check.judging import violated
from tests.why.varied import CHOSEN, doubled, halved, lossy, recorded, renamed, rooms, shifted, shuffled, skewed
from tracer.check import check
from tracer.service.replay import listened_in
from tracer.units import NS_PER_S
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.why.varied import Line, Variant

NAMES = sorted(EXPECTED)
HOURS = 5 * 3600 * NS_PER_S
KINDS = (
    {"server-lost", "server-restarted", "agent-lost-connection"},
    {"late-unexplained", "cold-process", "starved-machine", "slow-connect", "slow-code", "slow-offer", "slow-answer"},
)
"""Causes of one kind, of which a record that is not whole may show another."""
OF_THE_NEXT_ROOM = {"caller-away", "room-expired"}
"""Causes that show only when somebody comes back."""


class Answer(NamedTuple):
    """What is said of one room, without names and times."""

    causes: tuple[tuple[str, bool], ...]
    """In order, and whether each is certain."""
    doubts: tuple[str, ...]
    well: bool | None
    violated: tuple[int, ...]
    """Numbers of the rules of `tracer check` that are."""


def answers(lines: Iterable[Line], listened_until: int = 0) -> dict[str, Answer]:
    """For each room's SID."""
    found = {}
    for timeline in rooms(lines, listened_until):
        one = explain(timeline)
        causes = tuple((finding.cause.name, finding.certain) for finding in one.findings)
        doubts = tuple(sorted(doubt.cause.name for doubt in one.doubts))
        found[timeline.room.sid] = Answer(causes, doubts, one.well, tuple(violated(check(timeline))))
    return found


@cache
def whole(name: str) -> dict[str, Answer]:
    """What is said of the recording as it is."""
    return answers(recorded(name))


def test_everything_that_has_a_name_is_renamed() -> None:
    lines = recorded("ok_two_callers")
    moments = [moment for line in lines for arrival in line for moment in arrival.moments]
    said = repr([moment for line in renamed("ok_two_callers") for arrival in line for moment in arrival.moments])
    names = {str(value) for moment in moments for key, value in moment.facts if key in CHOSEN if value}
    assert {"ada", "bob"} <= names
    assert not [name for name in names | {moment.subject for moment in moments} if repr(name) in said]


@pytest.mark.parametrize("name", NAMES)
def test_names_times_order_and_repetition_change_nothing(name: str) -> None:
    right = list(whole(name).values())
    assert list(answers(renamed(name)).values()) == right
    assert list(answers(shifted(name, HOURS)).values()) == right
    assert list(answers(shuffled(name)).values()) == right
    assert list(answers(doubled(name)).values()) == right


@pytest.mark.parametrize("by", [-30 * NS_PER_S, 30 * NS_PER_S])
@pytest.mark.parametrize("name", ["muted_by_api", "publish_taken_away", "case_reload", "ok_conversation"])
def test_an_agents_clock_that_is_off_changes_no_cause(name: str, by: int) -> None:
    found = [(answer.causes, answer.well) for answer in answers(skewed(name, by)).values()]
    assert found == [(answer.causes, answer.well) for answer in whole(name).values()]


def broken(name: str, variant: Variant) -> list[str]:
    """Where what is said of a record that is not whole says more than that of the whole one."""
    listened_until = 0 if variant.died else listened_in(recorded(name))[1]
    found = []
    for sid, answer in answers(variant.lines, listened_until).items():
        known = {cause for cause, _ in whole(name)[sid].causes}
        allowed = known.union({"lost-webhooks"}, *(kind for kind in KINDS if kind & known))
        found += [
            f"{variant.label}: {cause} is certain" for cause, sure in answer.causes if sure and cause not in allowed
        ]
        found += [
            f"{variant.label}: rule {number} is violated"
            for number in {*answer.violated} - {*whole(name)[sid].violated}
        ]
        if answer.well and not whole(name)[sid].well and variant.is_told and not known & OF_THE_NEXT_ROOM:
            found.append(f"{variant.label}: well")
        if whole(name)[sid].well:
            found += [f"{variant.label}: {cause}" for cause, sure in answer.causes if sure and cause != "lost-webhooks"]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_what_is_lost_makes_nothing_sure(name: str) -> None:
    assert not [one for variant in lossy(name, seeds=3) if variant.lines for one in broken(name, variant)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_lost_makes_nothing_sure(name: str) -> None:
    assert not [one for variant in lossy(name, seeds=60) if variant.lines for one in broken(name, variant)]


NO_SIGN = {
    "load_fnc_raises: half of the spans lost, sample 0: slow-request is certain",
    "exits_in_call: half of the spans' requests lost, sample 0: well",
    "linked_to_one_who_never_comes: half of the spans' requests lost, sample 1: well",
    "s11_all_reject: half of the spans' starts and ends lost, sample 1: slow-request is certain",
    "stt_raises: half of everything lost, sample 1: model-silent is certain",
}
"""What is said too surely of these: nothing in them shows that anything is missing, as their spans have no numbers.
Each is a shortfall; one that is mended goes."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_is_half_lost_makes_nothing_sure(name: str) -> None:
    found = [one for variant in halved(name, range(2)) if variant.lines for one in broken(name, variant)]
    assert {f"{name}: {one}" for one in found} == {one for one in NO_SIGN if one.startswith(f"{name}: ")}
