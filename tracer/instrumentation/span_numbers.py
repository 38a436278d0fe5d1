"""A running number for each span that is sent of a job, so that the receiver knows for certain that one did not come.

With the spans of a job a request brings a span of tracer's own, which says which numbers these have. It reports a
moment, and so goes to no backend.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext

from tracer import keys
from tracer.moment import Kind
from tracer.witness.agent import SCOPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.moment import Fact

__all__ = ["SpanNumber", "SpanNumbers"]

MOST_JOBS = 1000
"""Jobs that are counted, those of which spans came last: a worker has one after the other. One that comes again after
so many others is counted from the beginning, and what is lost of it is noticed less."""


@dataclass(frozen=True, slots=True)
class SpanNumber:
    """Which span of its job one is, in the order in which they are sent."""

    room: str
    job: str
    number: int
    """From 1."""


class SpanNumbers:
    """Counts what one process sends of each job. Not thread-safe: only the thread that sends asks it."""

    def __init__(self) -> None:
        self._sender = secrets.token_hex(4)
        """A job has several senders: its worker, and each process in which it runs."""
        self._counted: OrderedDict[str, int] = OrderedDict()
        """By job."""

    def next(self, span: ReadableSpan) -> SpanNumber | None:
        """The number of this span, which is about to be kept for sending; None where it is of no job."""
        known = span.attributes or {}
        room, job = known.get(keys.ROOM_SID), known.get(keys.JOB_ID)
        if not (isinstance(room, str) and room and isinstance(job, str) and job):
            return None
        number = self._counted[job] = self._counted.pop(job, 0) + 1
        if len(self._counted) > MOST_JOBS:
            self._counted.popitem(last=False)
        return SpanNumber(room, job, number)

    def spans(self, sent: Iterable[tuple[ReadableSpan, SpanNumber | None]]) -> list[ReadableSpan]:
        """What a request says of the spans that it brings: a span for each run of numbers of one job."""
        return [self._span(beside, first, last) for beside, first, last in _runs(sent)]

    def _span(self, beside: ReadableSpan, first: SpanNumber, last: int) -> ReadableSpan:
        now = time.time_ns()
        known: dict[str, Fact] = {
            keys.SUBJECT: first.job,
            keys.ROOM_SID: first.room,
            keys.OCCURRENCE: self._sender,
            keys.SPANS_FIRST: first.number,
            keys.SPANS_LAST: last,
        }
        return ReadableSpan(
            Kind.JOB_SPANS_REPORTED.value,
            context=SpanContext(secrets.randbits(128) or 1, secrets.randbits(64) or 1, is_remote=False),
            resource=beside.resource,  # with which the request has it once
            attributes=known,
            instrumentation_scope=InstrumentationScope(SCOPE),
            start_time=now,
            end_time=now,
        )


def _runs(sent: Iterable[tuple[ReadableSpan, SpanNumber | None]]) -> Iterator[tuple[ReadableSpan, SpanNumber, int]]:
    """Of each job the runs of numbers without a gap: a span of it, its first number, and its last."""
    open_runs: dict[str, tuple[ReadableSpan, SpanNumber, int]] = {}
    for span, number in sent:
        if number is None:
            continue
        run = open_runs.get(number.job)
        if run and run[2] + 1 == number.number:
            open_runs[number.job] = (*run[:2], number.number)
            continue
        if run:
            yield run
        open_runs[number.job] = span, number, number.number
    yield from open_runs.values()
