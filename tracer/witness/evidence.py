"""Evidence: what came in, made ready to be kept as it came, and read into moments, now or by a later version.

A request is not read into moments where it arrives: only so far as is needed to refuse what nobody could read, and to
know whose it is. One piece is of one room; a request of several is taken apart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracer.store import Arrival, Evidence, Form
from tracer.units import NS_PER_S
from tracer.witness import agent, webhook
from tracer.witness.elements import varint

if TYPE_CHECKING:
    from tracer.store import Outgoing
    from tracer.witness.webhook import Glance

__all__ = [
    "AHEAD",
    "VERSION",
    "arrival",
    "of_spans",
    "of_webhook",
    "outgoing",
    "redacted",
    "request",
    "without_secrets",
]

VERSION = 7
"""Of the readers: when it is raised, all evidence in a store is read again. Raise it when a reader learns something."""
AHEAD = 24 * 3600 * NS_PER_S
"""An agent's clock may be ahead of the receiver's by this, ns. Reports of next year would lead each list until then."""

_SECRET = re.compile(rb'("turn_?[pP]assword"\s*:\s*)"(?:[^"\\]|\\.)*"')
_RESOURCE_SPANS = 0x0A
"""Begins each in a request: its field's number, 1, and that a length follows."""
_IN_PROTOBUF = re.compile(rb"\x0f(RM_[A-Za-z0-9]{12})")
"""A room's SID as a whole value, after its length; livekit-server v1.13.5, livekit/protocol utils/guid."""
_IN_JSON = re.compile(rb'"(RM_[A-Za-z0-9]{12})"')


def of_webhook(body: bytes, told: Glance, at: int) -> Evidence:
    """A webhook that was accepted at this time, ns by the receiver's clock."""
    return Evidence(Form.WEBHOOK, without_secrets(body), at, told.room, told.id)


def without_secrets(body: bytes) -> bytes:
    """A webhook's body without the room's TURN password."""
    return _SECRET.sub(rb'\1""', body)


def of_spans(
    request: ExportTraceServiceRequest, body: bytes, content_type: str, at: int, count: int | None = None
) -> list[Evidence]:
    """An OTLP request that was accepted at this time, ns by the receiver's clock: a piece for each room.

    ``count``: how many spans it holds, where that is known.
    """
    count = agent.extent(request.resource_spans).spans if count is None else count
    form, named = (Form.OTLP_JSON, _IN_JSON) if content_type == "application/json" else (Form.OTLP, _IN_PROTOBUF)
    if room := _only_room(body, named):
        return [Evidence(form, body, at, room, spans=count)]
    rooms = agent.rooms(request) if len(request.resource_spans) <= 1 or form is Form.OTLP_JSON else []
    if len(rooms) == 1:
        return [Evidence(form, body, at, rooms[0], spans=count)]
    parts: defaultdict[str, list[bytes]] = defaultdict(list)
    counts: defaultdict[str, int] = defaultdict(int)
    for group, packed in zip(request.resource_spans, _groups(request, body, form), strict=True):
        if room := _only_room(packed, _IN_PROTOBUF):
            parts[room].append(packed)
            counts[room] += agent.extent([group]).spans
        else:
            for room, part in agent.by_room(ExportTraceServiceRequest.FromString(packed)).items():
                parts[room].append(part.SerializeToString())
                counts[room] += agent.extent(part.resource_spans).spans
    # Requests one after the other are one request: https://protobuf.dev/programming-guides/encoding/#last-one-wins
    return [Evidence(Form.OTLP, b"".join(packed), at, room, spans=counts[room]) for room, packed in parts.items()]


def _groups(request: ExportTraceServiceRequest, body: bytes, form: Form) -> list[bytes]:
    """Each ``ResourceSpans`` of a request as a request of its own in protobuf; where that can be, as it came."""
    groups, at = [], 0
    if form is Form.OTLP:
        while at < len(body) and body[at] == _RESOURCE_SPANS:
            size, start = varint(body, at + 1)
            groups.append(body[at : start + size])
            at = start + size
    if len(groups) == len(request.resource_spans) and at == len(body):
        return groups
    return [ExportTraceServiceRequest(resource_spans=[group]).SerializeToString() for group in request.resource_spans]


def _only_room(body: bytes, named: re.Pattern[bytes]) -> str:
    """SID of the room that a request names, without reading it; empty where that takes reading."""
    found = named.search(body)
    return found[1].decode() if found and body.count(found[0]) == body.count(b"RM_") else ""


def arrival(evidence: Evidence) -> Arrival:
    """What a piece of evidence reports; its spans go to the backend from the evidence itself.

    Raises MalformedError, TooLargeError.
    """
    return _read(evidence, exported=False, redact=False)


def outgoing(evidence: Evidence) -> tuple[Outgoing, ...]:
    """The spans in a piece of evidence for the backend, each alone. Raises MalformedError, TooLargeError."""
    return () if evidence.form is Form.WEBHOOK else agent.arrival(request(evidence)).outgoing


def request(evidence: Evidence) -> ExportTraceServiceRequest:
    """What an agent sent. Raises MalformedError, TooLargeError."""
    return agent.read(
        evidence.body, "application/json" if evidence.form is Form.OTLP_JSON else "application/x-protobuf"
    )


def redacted(evidence: Evidence, *, exported: bool) -> Arrival:
    """The same without the evidence, and with spans without personal data; a moment drops its own when it is kept."""
    return replace(_read(evidence, exported=exported, redact=True), event_id=evidence.event_id, evidence=None)


def _read(evidence: Evidence, *, exported: bool, redact: bool) -> Arrival:
    if evidence.form is Form.WEBHOOK:
        event = webhook.parse(evidence.body)
        unknown = webhook.unknown(evidence.body, event)
        return Arrival(tuple(webhook.moments(event, evidence.at)), unknown=unknown, evidence=evidence)
    told = agent.arrival(request(evidence), redact=redact, exported=exported)
    in_time = tuple(moment for moment in told.moments if moment.earliest <= evidence.at + AHEAD)
    return Arrival(in_time, told.outgoing, traces=told.traces, evidence=evidence)
