"""What `tracer why` answers, on the room's span: so that a failed call is found by searching for errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracer import keys
from tracer.export.span_names import SpanNames, one_line
from tracer.moment import facts
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.export.spans import Span
    from tracer.timeline.timeline import Timeline

__all__ = ["answered"]

UNEXPLAINED = "No cause was found, but something is missing that every call needs."
"""A failed call's error where its sentence names somebody."""
LONGEST = 1000
"""Characters of a sentence: names from outside in it can be of any length."""


def answered(span: Span, timeline: Timeline, names: SpanNames = SpanNames.FEW) -> Span:
    """The room's span with all that is known by now of how the call went. It has to be asked once, as it takes a while.

    A sentence can name people. It is an attribute that says so, and is there where personal data is kept: else the room
    has no name either. As the span's error it stands only where names stand in the names of spans.
    """
    explanation = explain(timeline)
    first = explanation.findings[0] if explanation.findings else None
    sentence = one_line(first.sentence if first else explanation.summary, LONGEST)
    found = {
        **dict(span.attributes),
        keys.WELL: explanation.well,
        keys.CAUSE: first.cause.name if first else None,
        keys.ANSWER: sentence if timeline.room.name else None,
    }
    error = None
    if explanation.well is False:
        impersonal = explanation.summary if first else UNEXPLAINED
        error = sentence if names is SpanNames.FULL else impersonal
    return replace(span, attributes=facts(found), error=error)
