"""How many elements an OTLP request would unpack to, before it is.

Protobuf turns two bytes into an object of about a hundred, and JSON is not much better: 16 MiB of empty elements would
take half a gigabyte and minutes. The count is an upper bound, and cheap: what is small is not looked into.
"""

from __future__ import annotations

from tracer.errors import MalformedError, TooLargeError

__all__ = ["MOST_ELEMENTS", "refuse_too_many", "varint"]

MOST_ELEMENTS = 300_000
"""Spans, attributes, events and their fields. A batch of 512 spans has some 50,000."""
SMALL = 2 * MOST_ELEMENTS
"""Bytes of a request that is not counted: each element takes two."""
LOOKED_INTO = 64
"""Bytes of a message that is looked into; a smaller one counts as if every four bytes of it were an element."""
DEEPEST = 64
"""Levels of values within values."""
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types."""


class _Message(dict[int, "_Message"]):
    """The messages within a message, by field number: opentelemetry/proto/trace/v1/trace.proto and common.proto."""


_LEAF = _Message()
_ANY = _Message()
_ATTRIBUTE = _Message({2: _ANY})
_ANY.update({5: _Message({1: _ANY}), 6: _Message({1: _ATTRIBUTE})})
_ENTITY = _Message({3: _LEAF, 4: _LEAF})
_EVENT = _Message({3: _ATTRIBUTE})
_LINK = _Message({4: _ATTRIBUTE})
_SPAN = _Message({9: _ATTRIBUTE, 11: _EVENT, 13: _LINK, 15: _LEAF})
_SCOPE_SPANS = _Message({1: _Message({3: _ATTRIBUTE}), 2: _SPAN})
_RESOURCE_SPANS = _Message({1: _Message({1: _ATTRIBUTE, 3: _ENTITY}), 2: _SCOPE_SPANS})
_REQUEST = _Message({1: _RESOURCE_SPANS})


def refuse_too_many(body: bytes, content_type: str) -> None:
    """Raises TooLargeError for a request of more than MOST_ELEMENTS; MalformedError when it is no protobuf."""
    if len(body) <= SMALL:
        return
    if content_type == "application/json":
        if body.count(b"{") + body.count(b"[") > MOST_ELEMENTS or body.count(b",") > 4 * MOST_ELEMENTS:
            raise _too_many()
        return
    try:
        _left(body, 0, len(body), _REQUEST, MOST_ELEMENTS, DEEPEST)
    except IndexError:
        raise MalformedError("body is not protobuf: it is cut off") from None


def _left(body: bytes, at: int, end: int, message: _Message, left: int, deeper: int) -> int:
    """How many more elements there may be after those between two places."""
    if not deeper:
        raise MalformedError(f"body is not an OTLP request: its values are nested more than {DEEPEST} deep")
    while at < end:
        key, at = varint(body, at)
        wire = key & 7
        left -= 1
        if left < 0:
            raise _too_many()
        if key < 8:
            raise MalformedError("body is not protobuf: a field has the number 0")
        if wire == LENGTH:
            size, at = varint(body, at)
            within = message.get(key >> 3)
            if at + size > end:
                raise MalformedError("body is not protobuf: a field is longer than its message")
            if within is not None:
                if size > LOOKED_INTO:
                    left = _left(body, at, at + size, within, left, deeper - 1)
                else:
                    left -= size // 4
            at += size
        elif wire == VARINT:
            _, at = varint(body, at)
        elif wire == FIXED64:
            at += 8
        elif wire == FIXED32:
            at += 4
        else:
            raise MalformedError(f"body is not protobuf: wire type {wire}")
    return left


def varint(body: bytes, at: int) -> tuple[int, int]:
    """A number, and the place after it."""
    byte = body[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    while True:
        at += 1
        byte = body[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
        shift += 7
        if shift > 63:
            raise MalformedError("body is not protobuf: a number is too long")


def _too_many() -> TooLargeError:
    return TooLargeError(f"the request has more than {MOST_ELEMENTS} elements: send smaller batches")
