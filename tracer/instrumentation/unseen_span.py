"""A span that the user's provider does not record, and tracer does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context, trace
from opentelemetry.sdk.trace import ReadableSpan

from tracer import keys
from tracer.instrumentation.guard import guarded
from tracer.witness.redaction import CONTENT_EVENTS, is_personal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import SpanContext, Status, StatusCode

__all__ = ["UnseenSpan", "kept", "unseen_above"]

BEHIND = context.create_key("tracer-unseen-span")
"""Where a context has an unseen span that is not its current one."""
_OF_THE_LIFECYCLE = {keys.ROOM_NAME, keys.PARTICIPANT_IDENTITY, "exception.message"}
"""Personal data without which a timeline does not show who was there and what failed."""


class UnseenSpan(trace.Span, ReadableSpan):
    """To all others the span that the user's provider made; what livekit-agents tells it goes to one of tracer's own.

    So children, links and headers of the user's are what they are without tracer. It can be read as well, since
    livekit-agents reads its spans now and then. No ``NonRecordingSpan``: OpenTelemetry gives that to its children too.
    """

    def __init__(self, seen: SpanContext, own: trace.Span) -> None:
        self.seen = seen
        self._context, self._parent = seen, None  # a readable span's
        self.own = own

    def get_span_context(self) -> SpanContext:
        """What all others see."""
        return self.seen

    @property
    def dropped(self) -> bool:
        """Whether a provider made it, and its sampler dropped it; else nobody has a provider yet."""
        return self.seen.is_valid

    def is_recording(self) -> bool:
        """Yes: else livekit-agents would tell it nothing."""
        return bool(guarded(self.own.is_recording))

    def set_attribute(self, key: str, value: Any) -> None:
        guarded(self._tell, {key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        guarded(self._tell, attributes)

    def _tell(self, attributes: Mapping[str, Any]) -> None:
        self.own.set_attributes(kept(attributes, self.dropped) or {})

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        guarded(self._happened, name, attributes, timestamp)

    def _happened(self, name: str, attributes: Any, timestamp: int | None) -> None:
        if not (self.dropped and name in CONTENT_EVENTS):
            self.own.add_event(name, kept(attributes, self.dropped), timestamp)

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        guarded(self.own.add_link, context, attributes)

    def update_name(self, name: str) -> None:
        guarded(self.own.update_name, name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        guarded(self.own.set_status, status, description)

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        guarded(lambda: self.own.record_exception(exception, kept(attributes, self.dropped), timestamp, escaped))

    def end(self, end_time: int | None = None) -> None:
        guarded(self.own.end, end_time)

    def __getattr__(self, name: str) -> Any:
        """What a readable span has."""
        if name in ("own", "seen"):  # not set yet, while it is copied
            raise AttributeError(name)
        return getattr(self.own, name)


def kept(attributes: Mapping[str, Any] | None, dropped: bool) -> dict[str, Any] | None:
    """Attributes that are reported: of a span that the user's sampler dropped, without what people said."""
    if attributes is None:
        return None
    return {
        key: value
        for key, value in attributes.items()
        if not dropped or key in _OF_THE_LIFECYCLE or not is_personal(key)
    }


def unseen_above(where: Context | None) -> UnseenSpan | None:
    """The unseen span under which one starts in this context; None when the user's provider records what is above."""
    above = trace.get_current_span(where)
    if isinstance(above, UnseenSpan):
        return above
    behind = None if above.is_recording() else context.get_value(BEHIND, where)
    return behind if isinstance(behind, UnseenSpan) else None
