"""Evidence with pseudonyms: webhooks and agents' spans as they came, with what somebody chose replaced.

What a later version can read in them stays: ids, times, numbers, LiveKit's fields and words. A text under a key that is
not known is replaced. Where a piece would report other moments by that, it is no evidence of them any more.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tracer import keys
from tracer.errors import MalformedError, TooLargeError
from tracer.moment import Kind
from tracer.store import Form
from tracer.witness import agent, evidence
from tracer.witness.redaction import CONTENT_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

    from tracer.moment import Moment
    from tracer.service.pseudonyms import Pseudonyms
    from tracer.store import Evidence

__all__ = ["told_by", "without_names"]

_KEY = re.compile(r"(?:lk|gen_ai|tracer|telemetry|service|exception|error|process|host)\.[a-z0-9_.]{1,64}")
"""Attributes of LiveKit's, OpenTelemetry's and tracer's own: others are the user's, and go with key and value."""
_VARIABLE = "gen_ai.prompt.variable."
"""What follows it, the user chose."""
_CALLED = {
    "host.name": keys.WORKER_HOST,
    "exception.message": keys.ERROR_MESSAGE,
    "exception.type": keys.ERROR_TYPE,
    "lk.room_name": keys.ROOM_NAME,
    "lk.participant_identity": keys.PARTICIPANT_IDENTITY,
    "lk.instructions": keys.INSTRUCTIONS,
    "gen_ai.agent.name": keys.AGENT_LABEL,
    "gen_ai.tool.name": keys.TOOL_NAME,
}
"""Keys of spans whose values are facts under another name."""
_TRACK_ID, _STATE, _WORD, _ID = (
    r"TR_[A-Za-z0-9_]{1,40}",
    r"initializing|idle|listening|thinking|speaking|away",
    r"[a-z_]{1,40}",
    r"[a-z]+_[0-9a-f]{12}(?:_\d+)*",
)
_STAYS = {
    key: re.compile(pattern)
    for key, pattern in {
        "lk.room_id": "RM_[A-Za-z0-9_]{1,40}",
        "lk.track_sid": _TRACK_ID,
        "lk.track_id": _TRACK_ID,
        "lk.connection_state": r"CONN_[A-Z]{1,40}",
        "lk.old_state": _STATE,
        "lk.new_state": _STATE,
        "lk.generation_id": _ID,
        "lk.parent_generation_id": _ID,
        "lk.speech_id": _ID,
        "lk.blocking.cause": _WORD,
        "lk.blocking.severity": _WORD,
        "lk.eou.outcome": _WORD,
        "lk.eou.source": _WORD,
        "gen_ai.operation.name": _WORD,
        "gen_ai.output.type": _WORD,
        "gen_ai.tool.type": _WORD,
        "gen_ai.workflow.name": "agent_session",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": r"\d{1,4}(?:\.\d{1,4}){0,3}",
        keys.CLOCK: r"server|agent|receiver",
        keys.EARLIEST: r"\d{1,20}",
        keys.LATEST: r"\d{1,20}",
    }.items()
}
"""Words of LiveKit's and of OpenTelemetry's, and times, under keys that are no facts."""
_MEASURED = frozenset({"lk.llm_metrics", "lk.tts_metrics", "lk.stt_metrics", "lk.stt.events"})
"""JSON of livekit-agents' own, in which the numbers are measurements."""
_NAME = re.compile(r"[a-z]{1,30}(?:_[a-z]{1,30}){1,6}|exception|generation")
"""What livekit-agents calls its spans and their events."""
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}")
"""What LiveKit calls the fields of a message, and livekit-agents those of its measurements."""
_FIELDS = {
    "identity": keys.PARTICIPANT_IDENTITY,
    "participantIdentity": keys.PARTICIPANT_IDENTITY,
    "metadata": keys.PARTICIPANT_METADATA,
    "agentName": keys.AGENT_NAME,
    "error": keys.ERROR_MESSAGE,
}
"""Texts in a webhook that somebody chose, by their field."""
_NAMED = {"room": keys.ROOM_NAME, "participant": keys.PARTICIPANT_NAME, "track": keys.TRACK_NAME}
"""Whose ``name`` it is, by the field that it is in."""
_THEIRS = {
    "event": _NAME,
    "mime": re.compile(r"(?:audio|video)/[A-Za-z0-9]{1,16}"),
    "mimeType": re.compile(r"(?:audio|video)/[A-Za-z0-9]{1,16}"),
    **dict.fromkeys(
        ("createdAt", "creationTime", "creationTimeMs", "joinedAt", "joinedAtMs", "startedAt", "updatedAt", "endedAt",
         "acceptedAt", "assignedAt", "firstStartedAt", "deletedAt", "agentFailedAttemptsNs", "unixMicro"),
        re.compile(r"\d{1,20}"),
    ),
    **dict.fromkeys(
        ("disconnectReason", "kind", "kindDetails", "state", "source", "type", "encryption", "status", "reason",
         "trigger", "roomEndReason", "canPublishSources", "capabilities", "backupCodecPolicy", "videoLayerMode"),
        re.compile(r"[A-Z][A-Z0-9_]{0,48}"),
    ),
}  # fmt: skip
"""Texts in a webhook that stay, by their field: times, and names of LiveKit's enums."""
_IDS = frozenset({"id", "sid", "dispatchId", "workerId", "agentId", "participantSid", "roomSid", "trackSid"})


def without_names(piece: Evidence, names: Pseudonyms) -> Evidence | None:
    """The piece with pseudonyms; None where it does not report the same moments then. What it is of stays its room."""
    try:
        mine = {names.moment(one) for one in told_by([piece])}
        if piece.form is Form.WEBHOOK:
            theirs = piece._replace(body=json.dumps(_event(json.loads(piece.body), names)).encode())
        else:
            theirs = piece._replace(body=_spans(piece, names), form=Form.OTLP)
    except (MalformedError, TooLargeError, ValueError, RecursionError):
        return None
    return theirs if set(told_by([theirs])) == mine else None


def told_by(pieces: Iterable[Evidence]) -> Iterable[Moment]:
    """What evidence reports to this version; what it cannot read was said to be so when it was stored."""
    for piece in pieces:
        with suppress(MalformedError, TooLargeError):
            yield from evidence.arrival(piece).moments


def _event(value: Any, names: Pseudonyms, field: str = "", around: str = "") -> Any:
    """A webhook's body, or a value in it that is under this field of that message."""
    if isinstance(value, dict):
        if field == "attributes":
            of = keys.PARTICIPANT_ATTRIBUTE
            told = {names.key(of + name): names.value(of + name, str(one)) for name, one in value.items()}
            return {name.removeprefix(of): one for name, one in told.items()}
        return {name: _event(one, names, name, field) for name, one in value.items() if _FIELD.fullmatch(name)}
    if isinstance(value, list):
        return [_event(one, names, field, around) for one in value]
    if not isinstance(value, str) or not value:
        return value
    if (stays := _THEIRS.get(field)) and stays.fullmatch(value):
        return value
    if field in _IDS:
        return names.id(value)
    return names.value(_NAMED.get(around, "") if field == "name" else _FIELDS.get(field, ""), value)


def _spans(piece: Evidence, names: Pseudonyms) -> bytes:
    """An OTLP request, as protobuf."""
    content_type = "application/json" if piece.form is Form.OTLP_JSON else "application/x-protobuf"
    request = agent.read(piece.body, content_type)
    request.DiscardUnknownFields()
    for group in request.resource_spans:
        group.schema_url = ""
        _attributes(group.resource.attributes, names)
        del group.resource.entity_refs[:]
        for scope in group.scope_spans:
            _scope(scope, names)
    return request.SerializeToString()


def _scope(scope: ScopeSpans, names: Pseudonyms) -> None:
    is_agents = scope.scope.name == agent.AGENTS_SCOPE
    is_ours = scope.scope.name == agent.SCOPE
    if not (is_agents or is_ours):
        scope.scope.name = names.text("scope", scope.scope.name)
    scope.schema_url, scope.scope.version = "", ""
    del scope.scope.attributes[:]
    for span in scope.spans:
        if not (span.name in _KINDS if is_ours else is_agents and _NAME.fullmatch(span.name)):
            span.name = names.text("span", span.name)
        _span(span, names, is_agents=is_agents)


_KINDS = frozenset(kind.value for kind in Kind)


def _span(span: Span, names: Pseudonyms, *, is_agents: bool) -> None:
    span.trace_state = ""
    span.status.message = str(names.value(keys.ERROR_MESSAGE, span.status.message[: agent.LONGEST_MESSAGE]))
    _attributes(span.attributes, names)
    for event in [event for event in span.events if event.name in CONTENT_EVENTS]:
        span.events.remove(event)
    for event in span.events:
        if not (is_agents and _NAME.fullmatch(event.name)):
            event.name = names.text("event", event.name)
        _attributes(event.attributes, names)
    for link in span.links:
        link.trace_state = ""
        del link.attributes[:]


def _attributes(items: RepeatedCompositeFieldContainer[KeyValue], names: Pseudonyms) -> None:
    """Attributes in place: the user's own go, of the others the texts."""
    kept = [item for item in items if _is_kept(item)]
    for item in kept:
        _value(item.key, item.value, names)
        if item.key.startswith(keys.PARTICIPANT_ATTRIBUTE):
            item.key = names.key(item.key)
    del items[:]
    items.extend(kept)


def _is_kept(item: KeyValue) -> bool:
    if item.key.startswith(keys.PARTICIPANT_ATTRIBUTE):
        return True
    no_map = item.value.WhichOneof("value") not in ("kvlist_value", "bytes_value")
    return bool(_KEY.fullmatch(item.key)) and not item.key.startswith(_VARIABLE) and no_map


def _value(key: str, value: AnyValue, names: Pseudonyms) -> None:
    match value.WhichOneof("value"):
        case "string_value":
            value.string_value = _text(key, value.string_value, names)
        case "array_value":
            texts = [one for one in value.array_value.values if one.WhichOneof("value") == "string_value"]
            del value.array_value.values[:]
            for one in texts:
                one.string_value = _text(key, one.string_value, names)
            value.array_value.values.extend(texts)
        case _:
            pass


def _text(key: str, text: str, names: Pseudonyms) -> str:
    if not text or ((stays := _STAYS.get(key)) and stays.fullmatch(text)):
        return text
    if key == keys.SUBJECT:
        return names.id(text)
    if key == keys.OCCURRENCE:
        return names.occurrence(text)
    if key in _MEASURED:
        with suppress(ValueError, RecursionError):
            return json.dumps(_measured(json.loads(text), names))
    if key == "exception.message":
        text = text[: agent.LONGEST_MESSAGE]
    return str(names.value(_CALLED.get(key, key), text))


def _measured(value: Any, names: Pseudonyms) -> Any:
    if isinstance(value, dict):
        return {name: _measured(one, names) for name, one in value.items() if _FIELD.fullmatch(name)}
    if isinstance(value, list):
        return [_measured(one, names) for one in value]
    return names.text("text", value) if isinstance(value, str) and value else value
