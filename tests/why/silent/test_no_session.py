from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import ABOUT_ADA, ADA, AGENT, JOB, ROOM, _webhook, ms
from tests.why.cases import BEFORE, bob, in_room, moved, of_job, second_agent, timeline, with_facts, without
from tests.why.silent.calls import blocked, long_call, stuck
from tracer import keys
from tracer.moment import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment


def sureness(moments: list[Moment], now: float = 60_000, earlier: list[Moment] | None = None) -> list[tuple[str, bool]]:
    explained = explain(timeline(moments, now=ms(now), earlier=earlier))
    return [
        (f.cause.name, f.certain) for f in explained.findings if f.cause.name in ("no-session", "event-loop-blocked")
    ]


def before(*kinds: Kind) -> list[Moment]:
    """A call in an earlier room of the same name, without moments of these kinds."""
    return in_room(BEFORE, [moved(m, -600_000) for m in without(long_call(), *kinds)])


SESSION = (Kind.SESSION_STARTING, Kind.SESSION_STARTED, Kind.SESSION_CLOSED)
RETURNED = of_job(Kind.JOB_ENTRYPOINT_RETURNED, 393)


def test_an_entrypoint_that_returned_wants_no_session() -> None:
    assert sureness([*stuck(), RETURNED]) == []


def test_an_agent_that_subscribes_to_nothing_is_not_there_to_listen() -> None:
    data_only = with_facts(stuck(), Kind.AGENT_CONNECTED, JOB, {keys.AUTO_SUBSCRIBE: "subscribe_none"})
    assert sureness(data_only, earlier=before()) == []


def test_whether_its_agent_has_sessions_at_all_is_known_from_the_call_before() -> None:
    assert sureness(stuck(), earlier=before()) == [("no-session", True)]
    assert sureness(stuck(), earlier=before(*SESSION)) == []


def test_while_it_runs_it_is_not_known_whether_the_entrypoint_returned() -> None:
    running = [m for m in stuck() if m.time < ms(20_000)]
    assert sureness(running, 20_000) == []
    assert sureness(running, 20_000, before()) == [("no-session", False)]
    assert sureness(running, 10_300, before()) == []


@pytest.mark.parametrize(
    "more",
    [
        [_webhook(Kind.TRACK_PUBLISHED, "TR_music", 900, {keys.PARTICIPANT_ID: AGENT})],
        [of_job(Kind.AGENT_WAITING_FOR_PARTICIPANT, 400, occurrence="another")],
        second_agent("AD_again", "helper"),
    ],
    ids=["it plays music", "it waits for somebody else", "another agent may answer"],
)
def test_an_agent_that_has_something_else_to_do(more: list[Moment]) -> None:
    assert sureness([*stuck(), *more]) == []


def test_an_agent_that_shuts_itself_down_was_not_stuck() -> None:
    own = with_facts(stuck(), Kind.JOB_SHUTDOWN, JOB, {keys.SHUTDOWN_REASON: "done", keys.SHUTDOWN_BY_USER: True})
    assert sureness(own) == []
    crashed = with_facts(stuck(), Kind.JOB_SHUTDOWN, JOB, {keys.SHUTDOWN_REASON: "job crashed"})
    assert sureness(crashed) == []


def test_a_telephone_that_rings_waits_for_nobody() -> None:
    rings = {**ABOUT_ADA, keys.PARTICIPANT_KIND: "SIP", keys.PARTICIPANT_ATTRIBUTE + "sip.callStatus": "ringing"}
    ringing = [m for m in stuck() if m.subject != ADA or m.kind is not Kind.PARTICIPANT_LEFT]
    for kind in (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE):
        ringing = with_facts(ringing, kind, ADA, rings)
    assert sureness(ringing) == []


def test_a_caller_who_leaves_in_ten_seconds_did_not_wait_long() -> None:
    early = [m for m in stuck() if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, ADA)]
    assert sureness([*early, _webhook(Kind.PARTICIPANT_LEFT, ADA, 10_300, ABOUT_ADA)]) == []
    assert sureness([*early, _webhook(Kind.PARTICIPANT_LEFT, ADA, 10_400, ABOUT_ADA)]) == [("no-session", False)]


def test_a_session_that_failed_to_start_is_told_by_its_error() -> None:
    hangs = without(long_call(), Kind.SESSION_STARTED, Kind.SESSION_CLOSED, Kind.JOB_ENTRYPOINT_RETURNED)
    assert sureness(hangs) == [("no-session", True)]
    assert sureness(with_facts(hangs, Kind.SESSION_STARTING, JOB, {keys.ERROR_TYPE: "APIError"})) == []
    assert sureness([m for m in hangs if m.subject != ADA]) == []


def test_a_job_that_was_lost_had_perhaps_a_session() -> None:
    lost = [m for m in stuck() if m.subject != JOB or m.time < ms(3000)]
    assert sureness(lost, 600_000) == []
    assert any(m.subject == ROOM for m in lost)


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        (blocked(3000, 2.9), []),
        (blocked(3000, 3.0), [("event-loop-blocked", True)]),
        ([m for at in (3000, 9000, 15_000) for m in blocked(at, 1.2)], [("event-loop-blocked", False)]),
        ([m for at in range(3000, 30_000, 2000) for m in blocked(at, 0.9)], []),
        (blocked(33_000, 5.0), []),
        (blocked(200, 3.0), []),
    ],
    ids=["2.9 s", "3 s", "again and again", "a busy machine", "as the caller leaves", "mostly before the session"],
)
def test_an_event_loop_that_is_blocked(blocks: list[Moment], expected: list[tuple[str, bool]]) -> None:
    assert sureness([*long_call(), *blocks]) == expected


def test_nobody_notices_who_is_not_there() -> None:
    alone = [m for m in long_call() if m.subject != ADA]
    assert sureness([*alone, *blocked(3000, 5.0)]) == []


def test_two_sessions_of_one_job_stand_still_together() -> None:
    began = [of_job(kind, 420, occurrence="another") for kind in (Kind.SESSION_STARTING, Kind.SESSION_STARTED)]
    assert sureness([*long_call(), *began, *blocked(3000, 5.0)]) == [("event-loop-blocked", True)]


def test_several_times_are_counted() -> None:
    (finding,) = explain(timeline([*long_call(), *blocked(3000, 4.0), *blocked(9000, 1.5)])).findings
    assert "was blocked for 4.0 s (2 times, 5.5 s altogether) while ada was there" in finding.sentence
    (finding,) = explain(timeline([*long_call(), *bob(1000, 30_000), *blocked(3000, 4.0)])).findings
    assert "while ada and bob were there" in finding.sentence


def test_an_event_loop_that_stands_still_is_found_while_it_does() -> None:
    going_on = [m for m in long_call() if m.time < ms(9000)]
    stalled = of_job(Kind.AGENT_STALLED, 9000, occurrence="stalled")
    (finding,) = explain(timeline([*going_on, stalled], now=ms(16_000))).findings
    assert finding.sentence == (
        f"The event loop of job {JOB} has been blocked for 7.0 s so far (once) while ada was there."
    )
    assert explain(timeline([*going_on, stalled], now=ms(11_000))).findings == ()
    killed = of_job(Kind.PROCESS_FAILED, 15_500, {keys.EXIT_CODE: -10, keys.KILLED: True})
    (_, finding) = explain(timeline([*going_on, stalled, killed], now=ms(16_000))).findings
    assert "was blocked for 6.5 s (once)" in finding.sentence  # how it ended is its worker's report
    again = of_job(Kind.AGENT_SPEAKING, 11_500, occurrence="spoke")
    assert explain(timeline([*going_on, stalled, again], now=ms(16_000))).findings == ()
    (finding,) = explain(timeline([*going_on, stalled, *blocked(9000, 4.0)], now=ms(16_000))).findings
    assert "was blocked for 4.0 s (once)" in finding.sentence


def test_a_start_that_did_not_return_is_certain_once_its_job_has_reported_its_end() -> None:
    after = (Kind.AGENT_SPEAKING, Kind.MODEL_ASKED, Kind.JOB_ENTRYPOINT_RETURNED, Kind.SESSION_AGENT_CHANGED)
    hangs = without(long_call(), Kind.SESSION_STARTED, Kind.SESSION_CLOSED, *after)
    finished = max(m.time for m in hangs if m.kind is Kind.ROOM_FINISHED)
    now = (finished - ms(0)) / 1e6 + 1000
    assert sureness(hangs, now) == [("no-session", True)]
    assert sureness(without(hangs, Kind.JOB_ENDED), now) == [("no-session", False)]
