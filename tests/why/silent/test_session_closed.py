from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, AGENT, JOB, SESSION, _webhook, ms
from tests.why.cases import STAYS, bob, found, healthy, linked, of_job, second_agent, timeline, without
from tests.why.silent.calls import ADA_AGAIN, closed, joins, long_call, reloaded
from tracer import keys
from tracer.moment import Kind
from tracer.why import explain
from tracer.why.silent.session_closed import SessionClosed

if TYPE_CHECKING:
    from tracer.moment import Moment


def sureness(moments: list[Moment], now: float = 60_000) -> list[tuple[str, bool]]:
    return [(f.cause.name, f.certain) for f in explain(timeline(moments, now=ms(now))).findings]


def another(at: float) -> list[Moment]:
    return [of_job(kind, at + 100 * n, occurrence="another") for n, kind in enumerate((Kind.SESSION_STARTING, STARTED))]


STARTED = Kind.SESSION_STARTED


def test_the_advice_is_for_the_reason_and_for_nothing_else() -> None:
    (reload,) = explain(timeline(reloaded())).findings
    (own,) = explain(timeline(closed(long_call(), 9000, "user_initiated"))).findings
    assert "close_on_disconnect=False" in reload.advice
    assert own.advice == SessionClosed.advice
    assert "closed (the agent's own code closed it: user_initiated), and for 25.1 s more ada" in own.sentence


def test_whoever_joins_finds_it_closed() -> None:
    (finding,) = explain(timeline(reloaded("bob"))).findings
    assert "; bob joined 0.9 s later and found a closed session: for 19.9 s bob had" in finding.sentence
    assert finding.certain


def test_who_is_back_and_linked_before_the_session_closes_is_left_with_a_closed_one() -> None:
    there = [m for m in reloaded() if m.kind is not Kind.SESSION_CLOSED]
    again = of_job(Kind.SESSION_LINKED, 5200, linked(ADA_AGAIN, "ada"), f"{SESSION}@2")
    gone = of_job(Kind.SESSION_UNLINKED, 4100, linked(ADA, "ada"), f"{SESSION}@3")
    call = closed([*there, again, gone], 6000, "participant_disconnected")
    (finding,) = explain(timeline(call)).findings
    assert "closed when ada left (participant_disconnected), though ada had come since: for 19.0 s" in finding.sentence
    assert finding.certain


def test_an_agent_that_ends_with_its_session_leaves_who_came_back_alone() -> None:
    there = [m for m in reloaded() if m.kind not in (Kind.SESSION_CLOSED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED)]
    there = [m for m in there if (m.kind, m.subject) not in ((Kind.PARTICIPANT_LEFT, AGENT), (Kind.JOB_ENDED, JOB))]
    ends = [
        of_job(Kind.JOB_SHUTDOWN, 6000, {keys.SHUTDOWN_REASON: "session closed"}),
        _webhook(Kind.PARTICIPANT_LEFT, AGENT, 6500, {keys.DISCONNECT_REASON: "CLIENT_INITIATED"}),
    ]
    call = closed([*there, *ends], 6040, "participant_disconnected")
    (finding,) = explain(timeline(call)).findings
    assert finding.cause.name == "agent-left-caller"
    assert "since: its session closed when ada left, who came back 0.9 s later." in finding.sentence
    assert "close_on_disconnect=False" in finding.advice
    own = explain(timeline(closed([*there, *ends], 6040, "user_initiated"))).findings[0]
    assert "its session closed" not in own.sentence
    bob = [m for m in reloaded("bob") if m.subject == ADA_AGAIN]
    others = [*(m for m in there if m.subject != ADA_AGAIN), *bob, *ends]
    (finding,) = explain(timeline(closed(others, 6040, "participant_disconnected"))).findings
    assert "its session closed" not in finding.sentence


def test_without_personal_data_nobody_is_said_to_have_come_back() -> None:
    hidden = [
        replace(m, facts=tuple((key, value) for key, value in m.facts if not keys.is_personal(key)))
        for m in reloaded()
        if m.kind is not Kind.SESSION_LINKED
    ]
    (finding,) = explain(timeline(hidden)).findings
    assert "PA_ada2 joined 0.9 s later" in finding.sentence
    assert "closed when the participant it was linked to left" in finding.sentence


@pytest.mark.parametrize(("at", "expected"), [(14_900, []), (15_200, [("session-closed", False)])])
def test_a_session_that_starts_for_who_came_back(at: float, expected: list[tuple[str, bool]]) -> None:
    assert sureness([*reloaded(), *another(at)]) == expected


def test_who_looks_in_for_a_moment_was_not_kept_waiting() -> None:
    kept = without(reloaded(), "PA_ada2")
    assert sureness([*kept, *joins(5000, 8050)]) == []
    assert sureness([*kept, *joins(5000, 8200)]) == [("session-closed", True)]


def test_who_comes_when_the_agent_has_left_did_not_meet_it() -> None:
    gone = [m for m in reloaded() if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, AGENT)]
    left = [m for m in reloaded() if (m.kind, m.subject) == (Kind.PARTICIPANT_LEFT, AGENT)]
    early = _webhook(Kind.PARTICIPANT_LEFT, AGENT, 4900, dict(left[0].facts))
    assert "session-closed" not in found([*gone, early])
    later = _webhook(Kind.PARTICIPANT_LEFT, AGENT, 15_000, dict(left[0].facts))
    (finding,) = [f for f in explain(timeline([*gone, later])).findings if f.cause.name == "session-closed"]
    assert finding.certain
    assert "for 9.9 s ada had" in finding.sentence


def test_while_it_goes_on_a_session_has_ten_seconds_to_start() -> None:
    recorded = [m for m in reloaded() if m.time < ms(6000)]
    assert sureness(recorded, 15_000) == []
    ((name, certain),) = sureness(recorded, 15_200)
    assert (name, certain) == ("session-closed", True)
    (finding,) = explain(timeline(recorded, now=ms(15_200))).findings
    assert "for 10.1 s so far ada" in finding.sentence


def hold(at: float) -> Moment:
    return _webhook(Kind.TRACK_PUBLISHED, "TR_hold", at, {keys.PARTICIPANT_ID: AGENT, keys.TRACK_NAME: "hold"})


def test_music_that_begins_after_the_session_is_meant_for_the_caller() -> None:
    on_hold = closed(long_call(), 9000, "user_initiated")
    assert sureness(on_hold) == [("session-closed", True)]
    assert sureness([*on_hold, hold(9500)]) == []
    assert sureness([*on_hold, hold(8500)]) == [("session-closed", False)]  # it may go on


def test_an_agent_may_wait_for_somebody_on_purpose() -> None:
    on_hold = closed(long_call(), 9000, "user_initiated")
    waits = of_job(Kind.AGENT_WAITING_FOR_PARTICIPANT, 9010, occurrence="colleague")
    came = of_job(Kind.AGENT_PARTICIPANT_READY, 30_000, occurrence="colleague")
    assert sureness([*on_hold, waits]) == [("session-closed", False)]
    assert sureness([*on_hold, waits, came, *another(30_010)]) == []
    early = of_job(Kind.AGENT_PARTICIPANT_READY, 12_000, occurrence="colleague")
    assert sureness([*on_hold, waits, early]) == [("session-closed", True)]  # and then did nothing


def test_a_colleague_who_joins_may_talk_with_the_caller() -> None:
    assert sureness([*closed(long_call(), 9000, "user_initiated"), *bob(12_000, 34_000)]) == [("session-closed", False)]


def test_another_agent_with_a_session_answers() -> None:
    theirs = [of_job(Kind.SESSION_STARTING, 900, occurrence="theirs")]
    theirs = [replace(m, subject="AJ_second") for m in theirs]
    assert "session-closed" not in found([*reloaded(), *second_agent("AD_again", "helper"), *theirs])


def test_a_session_that_ends_with_its_job_or_its_caller_is_no_matter() -> None:
    assert found(closed(healthy(), 4160, "participant_disconnected")) == []
    assert found(closed(long_call(), 36_504, "job_shutdown")) == []
    assert found(STAYS) == ["session-closed"]


def test_an_agent_that_reported_nothing_is_doubted() -> None:
    explanation = explain(timeline(without(reloaded(), "agent")))
    assert explanation.findings == ()
    assert [doubt.cause.name for doubt in explanation.doubts] == ["session-closed"]
    assert JOB in explanation.doubts[0].how
    assert SESSION not in explanation.doubts[0].how


def test_the_session_knows_that_its_participant_left_where_others_saw_it_late() -> None:
    kept = [m for m in without(reloaded(), "PA_ada2") if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, ADA)]
    late = [*kept, _webhook(Kind.PARTICIPANT_LEFT, ADA, 14_000, {keys.DISCONNECT_REASON: "CONNECTION_TIMEOUT"})]
    assert sureness(late) == []
    assert sureness(closed(late, 4160, "user_initiated")) == [("session-closed", True)]


def test_an_older_session_gives_no_reason_and_closes_just_after_its_caller_left() -> None:
    (reload,) = explain(timeline(closed(reloaded(), 4160, ""))).findings
    assert f"The session of job {JOB} closed; ada came back 0.9 s later" in reload.sentence
    assert "close_on_disconnect=False" in reload.advice
    (own,) = explain(timeline(closed(long_call(), 9000, ""))).findings
    assert own.advice == SessionClosed.advice
