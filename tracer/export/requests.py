"""Agents' requests on their way to the backend, many as one.

They stay in the store's evidence until the backend has accepted them. The newest go first: what is under way does not
wait for what is over.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tracer.errors import MalformedError, TooLargeError
from tracer.witness import evidence
from tracer.witness.passed_on import PassedOn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tracer.store import Outgoing, Writer

__all__ = ["LARGEST", "Requests", "next_requests"]

LARGEST = 1024 * 1024
"""Bytes in one request to the backend, unless it is one of an agent's that is larger."""
AT_ONCE = 500
"""Agents' requests in it."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Some of agents' requests, as the backend gets them."""

    numbers: Sequence[int]
    """Of the evidence."""
    body: bytes
    """A serialized ``ExportTraceServiceRequest``; empty where nothing of them is to be sent."""
    keys: Mapping[bytes, Sequence[bytes]]
    """Ids of the spans in it, by their trace."""
    of: Sequence[PassedOn]

    @property
    def count(self) -> int:
        """How many spans it has."""
        return sum(map(len, self.keys.values()))

    def apart(self) -> Iterator[Outgoing]:
        """Each span alone."""
        return (span for one in self.of for span in one.apart())

    def without_keys(self) -> Requests:
        """The same where its spans are in the outbox, which knows when they are sent."""
        return replace(self, keys={})


def next_requests(store: Writer, largest: int, *, redact: bool) -> Requests | None:
    """The newest of agents' requests that wait; None when none does. Raises StoreError.

    Spans that wait for the room of their trace are put into the outbox. What cannot be read was said to be so when it
    was stored.
    """
    pieces = store.evidence_to_send(AT_ONCE, largest)
    if not pieces:
        return None
    requests: list[PassedOn] = []
    for piece in pieces:
        with suppress(MalformedError, TooLargeError):
            requests.append(PassedOn(evidence.request(piece), redacted=redact))
    if unplaced := [span for one in requests for span in one.unplaced]:
        store.queue(unplaced, [])
    sent = store.sent_spans({trace for one in requests for trace in one.traces})
    keys: dict[bytes, list[bytes]] = {}
    bodies = []
    for one in requests:
        one.leave_out(sent)
        for trace, ids in one.keys.items():
            keys.setdefault(trace, []).extend(ids)
        bodies.append(one.request.SerializeToString())
    # Requests one after the other are one request: https://protobuf.dev/programming-guides/encoding/#last-one-wins
    return Requests([piece.number for piece in pieces], b"".join(bodies), keys, requests)
