"""A bundle answers as its room does, and names nobody."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from tests.calls.clean import texts
from tests.calls.expected import EXPECTED
from tests.moments import ADA, JOB, ROOM, call, ms
from tests.signed import EVENTS
from tracer import keys
from tracer.check import check
from tracer.errors import RecordingError
from tracer.export.whole import whole_trace
from tracer.moment import Kind, facts
from tracer.service.bundle import bundle
from tracer.service.pseudonyms import Pseudonyms
from tracer.service.replay import Opened, opened, timelines
from tracer.service.without_names import _CALLED, _MEASURED, _STAYS, told_by, without_names
from tracer.store import Evidence, Form
from tracer.store.load import moments_around, timeline_in
from tracer.view.check_json import as_json as check_as_json
from tracer.view.why import as_json
from tracer.why import explain
from tracer.witness.fields import CALL_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS = Path(__file__).parents[1] / "calls"
IDS = {keys.ROOM_SID, keys.JOB_ID}
"""By which a span is known to be of its room."""
FACTS = '[["'
LONG = 6
"""Characters of a text that is no part of another by chance."""
HOSTILE = "grace@example.org 10.1.2.3 sk-live-1234"
USUAL = 200_000
"""Bytes of the bundle of a usual call."""
ADDRESS = re.compile(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b|\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){5,7}\b")
THEIRS = re.compile(
    r"(?:(?:lk|gen_ai|telemetry|service|exception|error|process|host|tracer)\.[a-z0-9_.]+|(?:audio|video)/\w+|speech_[0-9a-f]{12}(?:_\d)?|[A-Z]{2}_[A-Za-z0-9_]+|agent-AJ_\w+|[A-Z0-9_]+|[0-9a-f]{8}|[0-9a-f]{16,32}|\d+(?:\.\d+)*|\w+Error|[a-z]+_[a-z_]+|[a-z]{1,3}|true|false)?"
)
"""Words of LiveKit's, of Python's and of livekit-agents', and what is too short to be told from them."""
COMMON = {
    "livekit-tracer",
    *Kind,
    *CALL_STATUSES,
    *(value for name, value in vars(keys).items() if name.isupper()),
    *{"webhook", "agent", "agents", "server", "active", "listening", "speaking", "thinking", "initializing", "nodejs"},
    *{"microphone", "default_agent", "observer", "room disconnected", "parent process shutdown", "job crashed"},
    *{keys.PARTICIPANT_ATTRIBUTE + name for name in ("lk.agent.state", "lk.agent.name", "lk.agent_name")},
    *{keys.PARTICIPANT_ATTRIBUTE + name for name in ("sip.callID", "sip.callStatus", "sip.phoneNumber")},
    # What livekit-agents calls its spans, their events and its measurements, and OpenTelemetry itself.
    *{"opentelemetry", "livekit-agent", "generation", "exception", "interrupted", "cancelled", "streamed", "committed"},
    *{
        "realtime",
        "nothing",
        "dropped",
        "manual",
        "programmatic",
        "away",
        "warning",
        "chat",
        "text",
        "function",
        "code",
        "[]",
    },
    *{"type", "label", "timestamp", "duration", "ttfb", "ttft", "metadata", "message", "metrics", "response", "output"},
    *{"instructions", "arguments", "description", "hidden", "unsubscribe", "modelName", "modelProvider", "requestId"},
    *{"completionTokens", "promptTokens", "totalTokens", "promptCachedTokens", "cacheCreationTokens"},
    *{"tokensPerSecond", "ttftMs", "durationMs"},
    *{
        "livekit-agents",
        "receiver",
        "system",
        "error",
        "rejected",
        "worker",
        "python",
        "job",
        "401",
        "AgentSession isn't running",
        "wait_pc_connection timed out",
        "voice",
        "second",
        "_start_task",
        "_tts_inference_task",
        "speech",
        "_vad_task",
        "_traceable_on_enter",
        "serve",
    },
}


THEIR_KEYS = sorted(value for name, value in vars(keys).items() if name.isupper() and isinstance(value, str))


def written(found: Opened, sid: str, path: Path, *, redact: bool) -> Path:
    path.write_bytes(bundle(found.store, sid, found.now, redact=redact, settings={}).body)
    return path


def restored(value: Any, names: dict[str, str]) -> Any:
    """The same with texts in the place of their pseudonyms."""
    if isinstance(value, str):
        return re.sub(r"\b[a-z-]+-\d+\b", lambda match: names.get(match[0], match[0]), value)
    if isinstance(value, list):
        return [restored(one, names) for one in value]
    return {key: restored(one, names) for key, one in value.items()} if isinstance(value, dict) else value


def private(recording: Path) -> Iterator[str]:
    """Every text of a recording that somebody chose: no id, no word of LiveKit's."""
    with gzip.open(recording, "rt") as file:
        for line in file:
            for text in texts(line):
                yield from (part for part in [text, *re.findall(r'"((?:[^"\\]|\\.)*)"', text)] if part)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_a_bundle_of_every_recorded_call_gives_the_same_answer_and_names_nobody(name: str, tmp_path: Path) -> None:
    recording = CALLS / f"{name}.jsonl.gz"
    with opened(recording) as found:
        for sid in found.rooms:
            mine = timeline_in(found.store, sid, now=found.now)
            (theirs,) = timelines(written(found, sid, tmp_path / "redacted", redact=True))
            names = Pseudonyms([*found.store.moments(sid), *moments_around(found.store, sid)])
            by_name = {name: text for text, name in names.by_text.items()}
            assert len(by_name) == len(names.by_text)
            assert restored(as_json(theirs, explain(theirs)), by_name) == as_json(mine, explain(mine))
            assert restored(check_as_json([check(theirs)]), by_name) == check_as_json([check(mine)])
            (same,) = timelines(written(found, sid, tmp_path / "whole", redact=False))
            assert as_json(same, explain(same)) == as_json(mine, explain(mine))
            assert check_as_json([check(same)]) == check_as_json([check(mine)])
            assert (tmp_path / "redacted").stat().st_size < USUAL
            chosen = {text for text in private(recording) if not THEIRS.fullmatch(text)} - COMMON
            chosen = {text for text in chosen if not text.startswith(FACTS)}  # whose parts are looked for
            left = set(private(tmp_path / "redacted"))
            assert left & chosen == set()
            assert not [text for text in left if ADDRESS.search(text)]
            raw = as_bytes(tmp_path / "redacted")
            assert [text for text in chosen if len(text) >= LONG and text.encode() in raw] == []


def as_bytes(path: Path) -> bytes:
    """All that is in a bundle, what is packed in it unpacked."""
    lines = gzip.decompress(path.read_bytes()).splitlines()
    packed = [b64decode(item["traces"]) for item in map(json.loads, lines) if "traces" in item]
    return b"\n".join([*lines, *packed])


def native(found: Opened, sid: str) -> dict[tuple[int, bytes], tuple[str, int, int, bytes]]:
    """An agent's own spans in a room's trace, by their ids."""
    made = whole_trace(found.store, timeline_in(found.store, sid, now=found.now))
    return {
        (int.from_bytes(span.trace_id), span.span_id): (
            span.name,
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            span.parent_span_id,
        )
        for group in made.resource_spans
        for scope in group.scope_spans
        if scope.scope.name == "livekit-agents"
        for span in scope.spans
    }


@pytest.mark.parametrize("name", ["case_llm_dead", "ok_node", "tool_hangs_1_3"])
def test_the_trace_of_a_bundle_has_the_agents_own_spans(name: str, tmp_path: Path) -> None:
    with opened(CALLS / f"{name}.jsonl.gz") as found:
        sid = found.rooms[-1]
        mine = native(found, sid)
        path = written(found, sid, tmp_path / "redacted", redact=True)
    with opened(path) as bundled:
        assert native(bundled, sid) == mine
    assert mine


def traced(name: str = "agent_session", scope: str = "livekit-agents", /, **attributes: Any) -> Evidence:
    """An agent's request with one span of this room."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add(schema_url=HOSTILE)
    group.resource.attributes.add(key="service.name").value.string_value = HOSTILE
    spans = group.scope_spans.add(schema_url=HOSTILE)
    spans.scope.name, spans.scope.version = scope, HOSTILE
    spans.scope.attributes.add(key="x").value.string_value = HOSTILE
    span = spans.spans.add(name=name, trace_id=b"t" * 16, span_id=b"s" * 8, trace_state=HOSTILE)
    span.start_time_unix_nano, span.end_time_unix_nano = ms(100), ms(5000)
    span.status.message = HOSTILE
    span.events.add(name=HOSTILE, time_unix_nano=ms(200)).attributes.add(key="x").value.string_value = HOSTILE
    span.links.add(trace_state=HOSTILE).attributes.add(key="lk.x").value.string_value = HOSTILE
    told = {keys.ROOM_SID: ROOM, keys.JOB_ID: JOB, **attributes}
    for key, value in told.items():
        span.attributes.add(key=key).value.CopyFrom(
            value if isinstance(value, AnyValue) else AnyValue(string_value=value)
        )
    return Evidence(Form.OTLP, request.SerializeToString() + UNKNOWN_FIELD, ms(6000), ROOM)


UNKNOWN_FIELD = b"\xaa\x06" + bytes([len("grace")]) + b"grace"
"""Number 101, which an OTLP request does not have."""
LISTED = AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="grace"), AnyValue(int_value=15550100)]))
MAPPED = AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="grace", value=AnyValue(string_value="10.1.2.3"))]))


@pytest.mark.parametrize(
    "piece",
    [
        *(traced(**{key: HOSTILE}) for key in [*THEIR_KEYS, *_STAYS, *_CALLED, *_MEASURED] if key not in IDS),
        *(
            traced(**{key: value})
            for key in ("lk.x", "grace", "gen_ai.prompt.variable.grace")
            for value in (LISTED, MAPPED)
        ),
        traced(
            **{keys.PARTICIPANT_ATTRIBUTE + "grace": "x", "lk.Grace": "x", "user.phone": AnyValue(int_value=15550100)}
        ),
        traced(**{"lk.llm_metrics": json.dumps({"label": HOSTILE, "of grace": 1, "all": [HOSTILE, {"a": HOSTILE}]})}),
        traced("call grace", "grace.bank"),
        traced("grace", "livekit-tracer"),
        traced("call grace"),
    ],
)
def test_text_that_somebody_chose_is_left_nowhere_in_a_span(piece: Evidence) -> None:
    named = without_names(piece, Pseudonyms(call()))
    assert named
    assert not re.search(rb"[Gg]race|example|10\.1|sk-live|15550100", named.body)
    assert {one.room for one in told_by([named])} <= {ROOM}


@pytest.mark.parametrize("where", ["room", "participant", "track", "job", ""])
def test_text_that_somebody_chose_is_left_nowhere_in_a_webhook(where: str) -> None:
    body = {**deepcopy(EVENTS[1]), "of grace": 1, "unheardOf": [HOSTILE, {"name": HOSTILE}]}
    of = body.setdefault(where, {}) if where else body
    of |= dict.fromkeys(
        ("name", "identity", "metadata", "error", "agentName", "mimeType", "workerId", "joinedAt"), HOSTILE
    )
    of |= {"attributes": {"of grace": "1", "mood": HOSTILE}, "kind": "GRACE HOPPER"}
    piece = Evidence(Form.WEBHOOK, json.dumps(body).encode(), ms(6000), ROOM)
    names = Pseudonyms(told_by([piece]))
    named = without_names(piece, names)
    assert named
    assert not re.search(rb"(?i)grace|example|10\.1|sk-live", named.body)


def test_a_piece_that_would_report_something_else_is_left_out_and_what_it_reported_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracer.service.without_names._NAME", re.compile("user_turn"))
    with opened(CALLS / "case_llm_dead.jsonl.gz") as found:
        (sid,) = found.rooms
        mine = timeline_in(found.store, sid, now=found.now)
        (theirs,) = timelines(written(found, sid, tmp_path / "redacted", redact=True))
        names = Pseudonyms([*found.store.moments(sid), *moments_around(found.store, sid)])
    assert {one for step in theirs.steps for one in step.moments} == {
        names.moment(one) for step in mine.steps for one in step.moments
    }


def strange(key: str, value: str = HOSTILE) -> Any:
    return replace(call()[0], facts=facts({key: value}))


@pytest.mark.parametrize(
    "key", [*THEIR_KEYS, "tracer.pii.attribute.mood", "tracer.pii.attribute.lk.agent.state", "x.y"]
)
def test_text_that_somebody_chose_is_left_under_no_key(key: str) -> None:
    one = strange(key)
    shown = repr(Pseudonyms([one]).moment(one))
    assert not re.search("grace|example|10\\.1|sk-live", shown)


def test_a_key_that_somebody_chose_is_a_pseudonym_too() -> None:
    for key in ("tracer.pii.attribute.mother of ada", "ada's"):
        one = strange(key, "x")
        assert "ada" not in repr(Pseudonyms([one]).moment(one))


def test_ids_and_occurrences_that_are_none_are_pseudonyms() -> None:
    one = replace(call()[0], room="RM ada", subject="ada smith", occurrence="ada smith's")
    assert "ada" not in repr(Pseudonyms([one]).moment(one))


def test_who_is_one_stays_one_and_an_identity_made_of_a_jobs_id_stays() -> None:
    moments = call()
    names = Pseudonyms(moments)
    assert names.by_text == Pseudonyms(reversed(moments)).by_text
    told = [dict(names.moment(one).facts) for one in moments if one.subject == ADA]
    identities = {one[keys.PARTICIPANT_IDENTITY] for one in told if keys.PARTICIPANT_IDENTITY in one}
    assert identities == {"identity-1"}
    assert f"agent-{JOB}" not in names.by_text
    made_up = strange(keys.PARTICIPANT_IDENTITY, "agent-AJ_ada")
    assert "ada" not in repr(Pseudonyms([made_up]).moment(made_up))


HEADER: dict[str, Any] = {"bundle": "tracer.bundle/1", "room": ROOM, "now": ms(9000)}
ROW = list(call()[0].row())


def changed(place: int, value: Any) -> dict[str, Any]:
    return {"moments": [[*ROW[:place], value, *ROW[place + 1 :]]]}


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([HEADER], "no room"),
        ([HEADER | {"room": "RM_other"}, {"moments": [ROW]}], "no room"),
        ([HEADER | {"bundle": "tracer.bundle/2"}, {"moments": [ROW]}], "upgrade"),
        ([HEADER | {"bundle": ["x" * 9000]}], "upgrade"),
        ([HEADER | {"now": True}], "damaged"),
        ([HEADER | {"now": 2**70}], "damaged"),
        ([{"bundle": 1}], "damaged"),
        ([HEADER, changed(4, "soon")], "interval"),
        ([HEADER, changed(4, -1)], "interval"),
        ([HEADER, changed(5, 0)], "interval"),
        ([HEADER, changed(6, 2**80)], "interval"),
        ([HEADER, changed(2, {"a": 1})], "no text"),
        ([HEADER, changed(2, "x" * 300)], "too long"),
        ([HEADER, changed(1, "room.burnt")], "burnt"),
        ([HEADER, changed(9, '[["a",{}]]')], "neither text nor number"),
        ([HEADER, changed(9, "[" * 100_000)], "line 2"),
        ([HEADER, {"moments": {}}], "no list"),
        ([HEADER, {"moments": [[]] * 300_001}], "no list"),
    ],
)
def test_a_bundle_that_is_none_is_refused_with_its_line(lines: list[Any], why: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    with pytest.raises(RecordingError, match=why) as error:
        timelines(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600


def test_a_bundle_that_unpacks_to_more_than_its_bound_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracer.service.replay.LARGEST_BUNDLE", 10_000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(json.dumps(HEADER).encode() + b"\n" * 20_000))
    with pytest.raises(RecordingError, match="too large"):
        timelines(path)


def test_an_open_room_is_read_as_of_when_its_bundle_was_made(tmp_path: Path) -> None:
    path = tmp_path / "open"
    moments = [one for one in call() if one.time < ms(300)]
    lines = [HEADER, {"moments": [one.row() for one in moments]}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (timeline,) = timelines(path)
    assert timeline.now == HEADER["now"]
    assert timeline.room.at(Kind.ROOM_FINISHED) is None
