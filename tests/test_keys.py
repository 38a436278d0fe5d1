from __future__ import annotations

import ast
import inspect
import itertools

from hypothesis import given
from hypothesis import strategies as st
from livekit.agents.telemetry import trace_types

from tests.moments import ROOM, call, moment, ms
from tests.otlp import OURS, attributes, job, registered, request
from tests.otlp_backend import spans_in
from tests.signed import EVENTS, SERVER, body, read, token
from tests.witness.test_observer import ACTIVE, DEMO, ada, dispatch, look, watched
from tracer import keys
from tracer.export.otlp import request as otlp_request
from tracer.export.spans import spans
from tracer.keys import is_personal
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.witness import agent, webhook
from tracer.witness.jobs import dispatch_moments

SAFE = {
    "lk.agent_label",
    "lk.function_tool.name",
    "tracer.participant.call_status",
    "tracer.silent_for",
    "tracer.sounded_for",
    "tracer.spoke_for",
    "tracer.session.listens_by",
    "tracer.session.speaks_by",
    "tracer.task",
    "tracer.turn_lasted",
    "lk.previous_agent_label",
    "tracer.track.encryption",
    "tracer.track.muted",
    "error.type",
    "process.pid",
    "telemetry.sdk.language",
    "tracer.entrypoint_only",
    "tracer.dispatch.trigger",
    "tracer.job.answer",
    "tracer.job.attempts",
    "tracer.job.reason",
    "tracer.job.workers_asked",
    "tracer.job.terminated",
    "tracer.worker.load_took",
    "tracer.process.exit_code",
    "tracer.process.killed",
    "tracer.process.setup_began",
    "tracer.process.setup_ended",
    "tracer.seen_after",
    "tracer.seen_by",
    "tracer.session.participant_id",
    "tracer.worker.jobs",
    "tracer.worker.load",
    "gen_ai.conversation.id",
    "lk.agent_name",
    "lk.disconnect_reason",
    "lk.dispatch_id",
    "lk.job.worker_id",
    "lk.job_id",
    "tracer.room.server_away",
    "tracer.room.watched",
    "lk.participant_id",
    "lk.participant_kind",
    "lk.room_sid",
    "lk.interruption.source",
    "lk.playout.position",
    "lk.shutdown.reason",
    "lk.track_source",
    "tracer.agent_trace_id",
    "tracer.cause",
    "tracer.clock",
    "tracer.earliest",
    "tracer.job.participant_id",
    "tracer.job.status",
    "tracer.job.type",
    "tracer.latest",
    "tracer.occurrence",
    "tracer.room.departure_timeout",
    "tracer.room.empty_timeout",
    "tracer.room.end_reason",
    "tracer.subject",
    "tracer.well",
    "tracer.witness",
    "tracer.worker.host",
    "lk.close_reason",
    "lk.room.auto_subscribe",
    "lk.room_io.participant_filter",
    "lk.shutdown.user_initiated",
    "tracer.blocked_for",
    "tracer.participant.can_publish",
    "tracer.participant.can_publish_sources",
    "tracer.participant.can_subscribe",
    "tracer.participant.hidden",
    "tracer.session.events_dropped",
    "tracer.span_name",
    "tracer.spans.above",
    "tracer.spans.begun",
    "tracer.spans.due",
    "tracer.spans.ended",
    "tracer.spans.first",
    "tracer.spans.last",
    "tracer.spans.root",
    "tracer.worker.deployment",
    "tracer.worker.previous_id",
    "tracer.worker.reserved",
    "tracer.worker.server",
}
"""Keys of which somebody has thought and found that they hold no personal data."""

CONSTANTS = {name: value for name in keys.__all__ if isinstance(value := getattr(keys, name), str)}


def described() -> dict[str, str]:
    """Constants of the module and the docstring beneath each."""
    lines = ast.parse(inspect.getsource(keys)).body
    return {
        before.target.id: after.value.value
        for before, after in itertools.pairwise(lines)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }


def test_every_key_is_public_and_has_a_docstring_beneath() -> None:
    assert set(described()) == set(CONSTANTS)
    assert {name for name in vars(keys) if name.isupper()} == set(CONSTANTS)
    assert all(text.strip() for text in described().values())


def test_no_two_keys_have_one_name() -> None:
    assert len(set(CONSTANTS.values())) == len(CONSTANTS)


def test_every_key_is_either_known_to_be_safe_or_marked_personal() -> None:
    assert [key for key in CONSTANTS.values() if (key in SAFE) is is_personal(key)] == []


def test_what_is_called_safe_is_still_a_key() -> None:
    assert set(CONSTANTS.values()) >= SAFE


def test_a_key_is_livekits_own_or_begins_with_ours() -> None:
    known = {value for name, value in vars(trace_types).items() if name.startswith("ATTR_")}
    known |= {"gen_ai.conversation.id", "process.pid", "telemetry.sdk.language"}  # OpenTelemetry's own
    assert [key for key in CONSTANTS.values() if not key.startswith("tracer.") and key not in known] == []


@given(st.text())
def test_whatever_an_attribute_is_called_it_is_personal(name: str) -> None:
    assert is_personal(keys.PARTICIPANT_ATTRIBUTE + name)


def test_only_a_whole_segment_marks_a_key() -> None:
    assert is_personal("lk.pii.room_name")
    assert is_personal("pii")
    assert not is_personal("lk.piiroom")
    assert not is_personal("lk.room_pii.name")


def everything() -> list[Moment]:
    """What every witness can say, each with all it can know."""
    told = [*dispatch_and_participants(), *agent.arrival(request(*job())).moments]
    told += agent.arrival(request(registered(), scope=OURS)).moments
    for event in EVENTS:
        raw = body({**event, "roomEndReason": "ROOM_END_API_DELETE"})
        told += webhook.moments(read(raw, token(raw), SERVER), ms(1))
    return told


def dispatch_and_participants() -> list[Moment]:
    state = {"started_at": ms(201), "ended_at": ms(300), "worker_id": "AW_1", "participant_identity": "agent"}
    return [*dispatch_moments(DEMO, dispatch(**state)), *look(watched(), 0, 97, ada(ACTIVE))]


def test_every_fact_a_witness_tells_is_known_to_be_safe_or_marked_personal() -> None:
    told = {key for m in everything() for key, _ in m.facts}
    assert keys.ROOM_END_REASON in told
    assert keys.DISPATCH_METADATA in told
    assert {key for key in told if not is_personal(key)} <= SAFE


def test_every_attribute_of_our_spans_is_known_to_be_safe_or_marked_personal() -> None:
    ended = moment(Kind.JOB_ENDED, "AJ_i9CF", ms(6530), occurrence="twice")
    for span in spans(fold(ROOM, [*call(), *everything(), ended])):
        for attributes_ in (span.attributes, *(event.attributes for event in span.events)):
            assert {key for key, _ in attributes_ if not is_personal(key)} <= SAFE


def test_a_redacted_native_span_has_nothing_personal_left() -> None:
    root = job()[0]
    attributes(root, {key: "ada" for key in CONSTANTS.values() if is_personal(key)})
    (outgoing,) = agent.arrival(request(root), redact=True).outgoing
    ((sent,),) = map(spans_in, otlp_request([outgoing.body]).resource_spans)
    assert sent.attributes
    assert not [item.key for item in sent.attributes if is_personal(item.key)]
