from __future__ import annotations

from tests.moments import JOB, ROOM
from tests.otlp import IN_JOB, OURS, ROOT, job, registered, request, span
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.timeline.trace_jobs import job_of_trace
from tracer.witness import agent
from tracer.witness.span_reports import MOST


def reports(*spans: object, scope: str = "livekit-agents") -> list[Moment]:
    told = agent.arrival(request(*spans, scope=scope)).moments  # type: ignore[arg-type]
    return [moment for moment in told if moment.kind is Kind.JOB_SPANS_REPORTED]


def test_a_request_says_which_spans_it_brought_and_which_they_need() -> None:
    begun = span("agent_turn", b"a-turn--", 400, None, b"session-", **IN_JOB)
    due = span("llm_node", b"a-model-", 410, None, b"a-turn--", **IN_JOB)
    root = span("job_entrypoint", ROOT, 200, 900, **IN_JOB)
    (report,) = reports(root, begun, due)
    assert (report.room, report.subject, report.witness) == (ROOM, JOB, "agent")
    assert (report.earliest, report.latest) == (root.start_time_unix_nano, due.start_time_unix_nano)
    known = {key: set(str(ids).split()) for key, ids in report.facts}
    assert known == {
        keys.SPANS_ENDED: {b"root".hex()},
        keys.SPANS_ROOT: {b"root".hex()},
        keys.SPANS_BEGUN: {b"a-tu".hex()},
        keys.SPANS_DUE: {b"a-mo".hex()},
        keys.SPANS_ABOVE: {b"sess".hex(), b"a-tu".hex()},
    }


def test_what_no_job_is_named_by_is_of_the_job_of_its_trace() -> None:
    (report,) = reports(span("llm_node", b"a-model-", 410, 420, gen_ai__conversation__id=ROOM))
    assert report.subject == job_of_trace(bytes(range(1, 17)))


def test_a_moment_that_is_a_span_of_tracers_own_is_none_of_the_jobs() -> None:
    assert reports(registered(), scope=OURS) == []


def test_a_stranger_makes_no_moment_larger_than_the_others() -> None:
    many = [span("x", number.to_bytes(8), 400, 410, **IN_JOB) for number in range(1, MOST + 2)]
    assert [len(str(dict(one.facts)[keys.SPANS_ENDED]).split()) for one in reports(*many)] == [1, 1]
    assert len(reports(*job())) == 1
