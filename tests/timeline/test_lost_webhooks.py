from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, AGENT, JOB, MICROPHONE, ROOM, VOICE, _webhook, call, ms
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.timeline.lost_webhooks import ON_ITS_WAY, not_whole

if TYPE_CHECKING:
    from tracer.moment import Moment

LATER = ms(60_000)


def without(*lost: tuple[Kind, str]) -> list[Moment]:
    """The call, of which no witness reported these."""
    return [one for one in call() if (one.kind, one.subject) not in lost]


def shown(moments: list[Moment], now: int = LATER) -> list[tuple[Kind, str]]:
    return [(step.kind, step.subject) for step in not_whole(fold(ROOM, moments, now=now))]


def test_nothing_is_missing_of_a_whole_call() -> None:
    assert shown(call()) == []


@pytest.mark.parametrize(
    ("lost", "sign"),
    [
        ((Kind.PARTICIPANT_ACTIVE, ADA), (Kind.PARTICIPANT_LEFT, ADA)),
        ((Kind.PARTICIPANT_LEFT, AGENT), (Kind.PARTICIPANT_ACTIVE, AGENT)),
    ],
)
def test_who_left_had_been_active_and_when_the_room_has_finished_everybody_left(
    lost: tuple[Kind, str], sign: tuple[Kind, str]
) -> None:
    assert sign in shown(without(lost))


def test_a_track_was_published_by_somebody_who_is_active() -> None:
    unpublished = _webhook(Kind.TRACK_UNPUBLISHED, MICROPHONE, 4099, {})
    assert shown([*call(), unpublished]) == []
    assert shown([*without((Kind.TRACK_PUBLISHED, MICROPHONE)), unpublished]) == [(Kind.TRACK_UNPUBLISHED, MICROPHONE)]
    nobody = [one for one in call() if one.subject != AGENT]
    assert (Kind.TRACK_PUBLISHED, VOICE) in shown(nobody)


@pytest.mark.parametrize("lost", [(ADA, MICROPHONE), (AGENT, VOICE)])
def test_whom_an_agent_meets_is_in_its_room_and_so_is_the_agent(lost: tuple[str, str]) -> None:
    met = (Kind.AGENT_PARTICIPANT_READY, JOB)
    assert met in shown([one for one in call() if one.subject not in lost])
    assert met not in shown(call())
    # Nor is it known whether webhooks of participants are sent, or where the agent was that nobody there saw.
    assert met not in shown([one for one in call() if not one.subject.startswith("PA_")])


def test_a_room_that_closed_has_finished() -> None:
    assert shown(without((Kind.ROOM_FINISHED, ROOM))) == [(Kind.PARTICIPANT_LEFT, AGENT)]


def test_what_the_observer_saw_is_known_without_its_webhook() -> None:
    lost = [one for one in call() if (one.kind, one.subject, one.witness) != (Kind.PARTICIPANT_ACTIVE, ADA, "webhook")]
    assert shown(lost) == []


def test_kinds_that_the_server_may_not_send_are_not_lost() -> None:
    of_participants = {Kind.PARTICIPANT_ACTIVE, Kind.PARTICIPANT_LEFT}
    assert shown([m for m in call() if m.kind not in of_participants or m.witness != "webhook"]) == []
    muted = replace(_webhook(Kind.TRACK_MUTED, MICROPHONE, 900, {}), witness="agent", clock="agent")
    assert shown([*[m for m in call() if m.kind is not Kind.TRACK_PUBLISHED], muted]) == []


def test_while_the_call_goes_on_a_webhook_may_be_on_its_way_and_nobody_must_have_left() -> None:
    left = (Kind.PARTICIPANT_LEFT, ADA)
    going_on = [m for m in without((Kind.PARTICIPANT_ACTIVE, ADA)) if m.kind is not Kind.ROOM_FINISHED]
    assert left not in shown(going_on, now=ms(4100) + ON_ITS_WAY)
    assert left in shown(going_on, now=ms(4101) + ON_ITS_WAY)
    assert shown([m for m in call() if m.kind not in (Kind.ROOM_FINISHED, Kind.PARTICIPANT_LEFT)]) == []


def test_what_came_while_nobody_listened_is_not_lost() -> None:
    lost = fold(ROOM, without((Kind.PARTICIPANT_ACTIVE, ADA)), now=LATER)
    assert not_whole(lost)
    before, afterwards, unheard = (ms(-5), ms(1)), (ms(7000), LATER), (ms(50), ms(200))
    assert not_whole(replace(lost, unheard=(before, afterwards)))
    assert not_whole(replace(lost, unheard=(unheard,))) == ()
    stayed = fold(ROOM, without((Kind.PARTICIPANT_LEFT, AGENT)), now=LATER)
    assert not_whole(replace(stayed, unheard=(unheard,)))
    assert not not_whole(replace(stayed, unheard=((ms(6000), ms(6499)),)))
