from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ABOUT_ADA, ABOUT_AGENT, ADA, AGENT, ROOM, _polled, ms
from tests.why.cases import UNRECORDED, Case, bob, check, found, healthy, observed, timeline, without
from tracer.moment import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Moment


@pytest.mark.parametrize("case", UNRECORDED, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


def lost(*kinds: Kind) -> list[Moment]:
    return [m for m in healthy() if m.witness != "webhook" or m.kind not in kinds]


LEFT = next(m for m in healthy() if (m.kind, m.subject) == (Kind.PARTICIPANT_LEFT, ADA))
SEEN_TO_GO = _polled(Kind.PARTICIPANT_LEFT, ADA, 4095, 4110, ABOUT_ADA)


@pytest.mark.parametrize(
    "recorded",
    [
        [*healthy(), SEEN_TO_GO],
        # Nobody set webhooks up.
        without(healthy(), "webhook"),
        observed(healthy()),
        # Nobody else watched.
        without(healthy(), "observer"),
        # The server says that they gave up, the API only that they went.
        [*(m for m in healthy() if m != LEFT), replace(LEFT, kind=Kind.PARTICIPANT_ABORTED), SEEN_TO_GO],
    ],
    ids=["both", "no webhooks", "observer", "no observer", "gave up"],
)
def test_what_is_not_lost(recorded: list[Moment]) -> None:
    assert "lost-webhooks" not in found(recorded)


def of(recorded: Iterable[Moment], now: float) -> list[str]:
    return found([m for m in recorded if m.time <= ms(now)], now=ms(now))


def test_a_webhook_may_be_on_its_way() -> None:
    late = [m for m in lost(Kind.PARTICIPANT_ACTIVE) if m.kind is not Kind.ROOM_FINISHED]
    late = [m for m in late if m.subject != AGENT or m.kind is not Kind.PARTICIPANT_ACTIVE]
    assert of(late, 5_104) == []
    assert of(late, 5_106) == ["lost-webhooks"]


def test_when_the_last_one_has_come_nothing_is_on_its_way() -> None:
    assert of(lost(Kind.PARTICIPANT_ACTIVE), 6_500) == ["lost-webhooks"]


def test_the_end_of_the_room_can_be_lost_too() -> None:
    recorded = [*lost(Kind.ROOM_FINISHED), _polled(Kind.ROOM_FINISHED, ROOM, 6450, 6550, {})]
    (finding,) = explain(timeline(recorded, now=ms(66_600))).findings
    assert finding.sentence == "1 webhook did not arrive: only the API showed room.finished."
    assert not explain(timeline(recorded, now=ms(66_500))).findings, "it is sent again for a minute"


def test_of_very_many_ten_are_evidence() -> None:
    crowd = [_polled(Kind.PARTICIPANT_LEFT, f"PA_{n}", 400 + n, 414 + n, ABOUT_AGENT) for n in range(50)]
    (finding,) = explain(timeline([*healthy(), *crowd])).findings
    assert finding.sentence.startswith("50 webhooks did not arrive")
    assert len(finding.evidence) == 10


def test_who_left_at_some_time_since_the_last_question_may_have_left_just_now() -> None:
    open_room = [m for m in healthy() if m.kind is not Kind.ROOM_FINISHED and m.time < ms(4000)]
    seen = _polled(Kind.PARTICIPANT_LEFT, ADA, 4050, 24_000, ABOUT_ADA)
    assert "lost-webhooks" not in found([*open_room, seen], now=ms(24_100))
    assert "lost-webhooks" not in found([*open_room, seen], now=ms(83_900)), "to a receiver that was away it may come"
    assert "lost-webhooks" in found([*open_room, seen], now=ms(84_100))
    later = [m for m in bob(27_000, 60_000) if m.kind is Kind.PARTICIPANT_ACTIVE]
    assert "lost-webhooks" in found([*open_room, seen, *later], now=ms(29_100)), "webhooks of a room come in order"
