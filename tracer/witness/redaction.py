"""Which parts of a span are personal: what livekit-agents itself drops on redaction (telemetry/pii.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer import keys

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["CONTENT_EVENTS", "is_personal", "redact"]

CONTENT_EVENTS = {
    "gen_ai.system.message",
    "gen_ai.user.message",
    "gen_ai.assistant.message",
    "gen_ai.tool.message",
    "gen_ai.choice",
    "gen_ai.client.inference.operation.details",
}
"""Events that hold the conversation under keys of any name: they are dropped whole."""

_ATTRIBUTES = {
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.description",
    "gen_ai.tool.definitions",
    "gen_ai.retrieval.query.text",
    "gen_ai.retrieval.documents",
    "gen_ai.memory.query.text",
    "gen_ai.memory.records",
    "gen_ai.evaluation.explanation",
    "exception.message",
    "exception.stacktrace",
}
"""The conversation in GenAI's own keys, and the free text of exceptions."""


def redact(span: Span) -> None:
    """Remove personal data from this span, in place."""
    for event in [event for event in span.events if event.name in CONTENT_EVENTS]:
        span.events.remove(event)
    holders: list[Any] = [span, *span.events, *span.links]  # whose protobuf types have no base in common
    for holder in holders:
        kept = [item for item in holder.attributes if not is_personal(item.key)]
        del holder.attributes[:]
        holder.attributes.extend(kept)
    span.status.message = ""


def is_personal(key: str) -> bool:
    """Whether an attribute of livekit-agents under this key is personal data."""
    return keys.is_personal(key) or key in _ATTRIBUTES or key.startswith("gen_ai.prompt.variable.")
