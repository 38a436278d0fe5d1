"""How often a room is polled, on a clock of the test's own."""

from __future__ import annotations

import pytest
from livekit.protocol.agent import Job
from livekit.protocol.agent_dispatch import AgentDispatch, AgentDispatchState
from livekit.protocol.models import ParticipantInfo, Room
from livekit.protocol.webhook import WebhookEvent

from tracer.witness.pace import (
    AFTER_LEAVE,
    BEFORE_CLOSE,
    CLOSELY,
    EXPECTED_FOR,
    JOBS_LATE,
    JOBS_LISTED,
    MOST_A_SECOND,
    MOST_REPORTED,
    QUICK,
    REPORTED,
    SETTLED,
    SETTLED_ALONE,
    WatchedRoom,
)

JOINING, JOINED, ACTIVE = ParticipantInfo.JOINING, ParticipantInfo.JOINED, ParticipantInfo.ACTIVE
CALLER = ParticipantInfo.Kind.STANDARD
AGENT = ParticipantInfo.Kind.AGENT
NOW = 1000.0
WALL = 1_700_000_000.0


def room(**more: float) -> WatchedRoom:
    return WatchedRoom(Room(sid="RM_1", name="demo"), **more)  # type: ignore[arg-type]


def there(room: WatchedRoom, *who: tuple[ParticipantInfo.Kind, ParticipantInfo.State]) -> None:
    room.present = {
        f"PA_{number}": ParticipantInfo(sid=f"PA_{number}", kind=kind, state=state)
        for number, (kind, state) in enumerate(who)
    }


def polls(room: WatchedRoom, seconds: float, *, webhooks: bool = True) -> list[float]:
    """When it is polled, if nothing changes after NOW, s after NOW."""
    room.polled(NOW, changed=True, webhooks=webhooks)
    at = []
    while room.next_poll <= NOW + seconds:
        at.append(room.next_poll - NOW)
        room.polled(room.next_poll, changed=False, webhooks=webhooks)
    return at


@pytest.mark.parametrize(("state", "webhooks"), [(JOINING, True), (JOINING, False), (JOINED, False)])
def test_while_somebody_joins_it_is_polled_quickly_at_first_and_then_ever_more_seldom(
    state: ParticipantInfo.State, webhooks: bool
) -> None:
    one = room()
    there(one, (CALLER, state))
    at = polls(one, 60, webhooks=webhooks)
    assert at[:5] == pytest.approx([QUICK * n for n in range(1, 6)])
    assert len([t for t in at if t > 2]) <= 45, "the server gives up after 60 s"
    assert len(at) <= 100


def test_where_a_webhook_will_report_that_somebody_is_active_a_poll_only_makes_up_for_one_that_is_lost() -> None:
    one = room()
    there(one, (CALLER, JOINED))
    assert polls(one, 9) == pytest.approx([REPORTED * 2**n for n in range(3)])
    assert len(polls(one, 1.0, webhooks=False)) > 20


def test_where_a_webhook_will_report_the_agent_it_is_polled_less() -> None:
    one = room(expected_since=NOW)
    there(one, (CALLER, ACTIVE))
    assert len(polls(one, 8)) < len(polls(one, 8, webhooks=False)) / 2


@pytest.mark.parametrize(("webhooks", "most"), [(True, MOST_REPORTED), (False, MOST_A_SECOND)])
def test_of_many_rooms_at_once_each_is_polled_less(webhooks: bool, most: int) -> None:
    one = room(expected_since=NOW)
    there(one, (CALLER, JOINING))
    one.polled(NOW, changed=True, webhooks=webhooks, awaited=11)
    assert one.next_poll == NOW + 10 / most
    one.wake(NOW + 0.1)
    assert one.next_poll == NOW + 0.1, "what was reported is looked at at once"


def test_a_room_is_awaited_while_somebody_joins_or_is_expected() -> None:
    one = room(expected_since=NOW)
    assert one.is_awaited(NOW + EXPECTED_FOR - 0.1)
    assert not one.is_awaited(NOW + EXPECTED_FOR + 0.1)
    there(one, (CALLER, ACTIVE), (AGENT, JOINED))
    assert one.is_awaited(NOW + 100)
    there(one, (CALLER, ACTIVE), (AGENT, ACTIVE))
    assert not one.is_awaited(NOW + 100)


def test_once_everybody_is_active_it_is_not_polled_quickly() -> None:
    one = room()
    there(one, (CALLER, ACTIVE), (AGENT, ACTIVE))
    assert polls(one, 59) == []


def test_without_webhooks_it_is_polled_more_often() -> None:
    one = room()
    one.polled(NOW, changed=True, webhooks=True)
    assert one.next_poll == NOW + SETTLED
    one.polled(NOW, changed=True, webhooks=False)
    assert one.next_poll == NOW + SETTLED_ALONE


def test_where_an_agent_is_expected_it_is_polled_closely_for_a_while() -> None:
    one = room(expected_since=NOW)
    there(one, (CALLER, ACTIVE))
    at = polls(one, 59)
    assert at[0] == pytest.approx(CLOSELY)
    assert at[-1] < EXPECTED_FOR * 2
    assert len(at) <= 60


def test_who_comes_while_jobs_are_about_to_be_polled_is_no_reason_to_poll_them_and_who_leaves_is() -> None:
    one = room()
    there(one, (CALLER, ACTIVE))
    one.polled_dispatches([dispatch(0.0)], NOW, WALL)
    one.came_or_left(NOW + 0.5, ())
    assert one.next_dispatches == pytest.approx(NOW + JOBS_LISTED)
    one.came_or_left(NOW + 3.5, [ParticipantInfo(sid="PA_1", kind=CALLER)])
    assert one.next_dispatches == NOW + 3.5


@pytest.mark.parametrize(
    ("timeout", "kind", "wait"),
    [
        (20, CALLER, AFTER_LEAVE),
        (2, CALLER, 2 - BEFORE_CLOSE),
        (0, CALLER, 0.0),
        (20, AGENT, 0.0),  # its job has ended, and may not be listed for long
    ],
)
def test_a_webhook_of_a_leave_has_jobs_polled_shortly_before_the_room_can_close(
    timeout: int, kind: ParticipantInfo.Kind, wait: float
) -> None:
    one = room()
    one.listed.departure_timeout = timeout
    there(one, (kind, ACTIVE))
    one.polled_dispatches([], NOW, WALL)
    left = WebhookEvent(event="participant_left", participant=one.present["PA_0"])
    assert one.hears(left, NOW + 10)
    assert one.next_dispatches == NOW + 10 + wait


def test_a_leave_has_dispatches_polled_at_once_that_never_were() -> None:
    one = room()
    one.listed.departure_timeout = 20
    there(one, (CALLER, ACTIVE))
    one.next_dispatches = NOW + 60
    assert one.hears(WebhookEvent(event="participant_left", participant=one.present["PA_0"]), NOW + 10)
    assert one.next_dispatches == NOW + 10


def test_a_caller_who_has_been_there_is_not_expected_when_the_agent_comes_after_they_left() -> None:
    one = room(expected_since=NOW)
    there(one, (CALLER, ACTIVE))
    one.polled(NOW + 0.1, changed=True, webhooks=True)
    there(one, (AGENT, ACTIVE))
    assert polls(one, 59) == []


def test_where_the_agent_has_come_nobody_is_expected() -> None:
    one = room(expected_since=NOW)
    there(one, (CALLER, ACTIVE), (AGENT, ACTIVE))
    assert polls(one, 59) == []
    there(one, (AGENT, ACTIVE))
    assert polls(one, 59) == [], "nor when the caller has left again"


def test_where_the_caller_left_before_the_agent_came_the_agent_is_still_expected() -> None:
    one = room(expected_since=NOW)
    one.came_or_left(NOW, [ParticipantInfo(sid="PA_1", kind=CALLER)])
    assert polls(one, 59) != []


def dispatch(age: float, *jobs: Job) -> AgentDispatch:
    return AgentDispatch(state=AgentDispatchState(created_at=int((WALL - age) * 1e9), jobs=jobs))


def dispatch_polls(room: WatchedRoom, *dispatches: AgentDispatch, seconds: float) -> list[float]:
    """When its dispatches are polled again, if nothing changes after NOW, s after NOW."""
    room.polled_dispatches(dispatches, NOW, WALL)
    at = []
    while room.next_dispatches <= NOW + seconds:
        at.append(room.next_dispatches - NOW)
        room.polled_dispatches(dispatches, room.next_dispatches, WALL + at[-1])
    return at


def test_a_dispatch_without_a_job_is_polled_until_the_server_must_have_listed_it() -> None:
    one = room()
    there(one, (AGENT, ACTIVE))
    at = dispatch_polls(one, dispatch(0.0), seconds=59)
    assert at[0] == pytest.approx(JOBS_LISTED)
    assert JOBS_LATE <= at[-1] < 2 * JOBS_LATE
    assert len(at) <= 3


def test_a_dispatch_with_a_job_is_not_polled_soon() -> None:
    one = room()
    there(one, (AGENT, ACTIVE))
    assert dispatch_polls(one, dispatch(0.0, Job(id="AJ_1")), seconds=59) == []


def test_a_new_dispatch_means_that_an_agent_is_expected() -> None:
    one = room(next_poll=NOW + 60)
    one.polled_dispatches([dispatch(0.5)], NOW, WALL)
    assert one.expected_since == pytest.approx(NOW - 0.5)
    assert one.next_poll <= NOW + CLOSELY


def test_a_dispatch_without_a_job_does_not_bring_back_the_wait_for_an_agent_that_came() -> None:
    one = room(expected_since=NOW)
    one.polled_dispatches([dispatch(0.0)], NOW, WALL)
    there(one, (CALLER, ACTIVE), (AGENT, ACTIVE))
    one.polled(NOW + 0.3, changed=True, webhooks=True)
    one.polled_dispatches([dispatch(0.0)], NOW + 1, WALL + 0.9999)
    assert one.next_poll > NOW + 30


def test_a_dispatch_by_a_clock_ahead_of_ours_is_of_now() -> None:
    one = room()
    one.polled_dispatches([dispatch(-3600)], NOW, WALL)
    assert one.expected_since == NOW


def test_where_somebody_waits_without_an_agent_a_later_dispatch_is_found_soon() -> None:
    one = room()
    there(one, (CALLER, ACTIVE))
    one.polled(NOW, changed=True, webhooks=True)
    at = dispatch_polls(one, seconds=600)
    assert at[0] == pytest.approx(5.0)
    assert 10 <= len(at) <= 25


def test_when_an_agent_leaves_its_job_is_polled_until_the_server_must_have_listed_its_end() -> None:
    one = room(next_dispatches=NOW + 60)
    one.came_or_left(NOW, [ParticipantInfo(sid="PA_1", kind=AGENT)])
    assert one.next_dispatches == NOW
    at = dispatch_polls(one, dispatch(100.0, Job(id="AJ_1")), seconds=20)
    assert 5.0 < at[0] < at[-1], "the server writes jobs every 5 s"
    assert at[-1] >= JOBS_LATE


def test_a_room_that_is_listed_with_other_counts_has_changed() -> None:
    one = room()
    assert not one.relisted(Room(sid="RM_1", name="demo"))
    assert one.relisted(Room(sid="RM_1", name="demo", num_participants=1))
    assert one.relisted(Room(sid="RM_1", name="demo", num_participants=1, num_publishers=1))
    assert not one.relisted(Room(sid="RM_1", name="demo", num_participants=1, num_publishers=1))
