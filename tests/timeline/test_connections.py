from __future__ import annotations

from tests.moments import JOB, ms
from tests.why.cases import of_job
from tracer.kinds import Kind
from tracer.timeline.connections import reported_once


def test_what_the_room_reports_at_once_the_session_does_not_report_again() -> None:
    by_room = [of_job(Kind.AGENT_RECONNECTING, 3000, None, str(ms(3000)))]
    by_session = [of_job(Kind.AGENT_RECONNECTING, at, None, f"span@{ms(at)}") for at in (3002, 9000)]
    lost = of_job(Kind.AGENT_CONNECTION_LOST, 3002, None, "span@lost")
    kept = list(reported_once([*by_session, lost, *by_room]))
    assert kept == [by_session[1], lost, *by_room], "the second is another interruption, the third of another kind"
    assert list(reported_once(by_session)) == by_session, "an older tracer's agent reports it by its session alone"
    assert {moment.subject for moment in kept} == {JOB}
