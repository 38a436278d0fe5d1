"""Values of OpenTelemetry attributes, as facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer.witness.fields import LATEST_TIME

if TYPE_CHECKING:
    from collections.abc import Container

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    from tracer.moment import Fact

__all__ = ["as_time", "attributes_of", "value_of"]

MARGIN = 512
"""Room for rounding below the latest time, ns."""


_PLAIN = frozenset({"string_value", "bool_value", "int_value", "double_value"})
"""What an attribute's value can be and a fact's too."""


def value_of(item: KeyValue) -> Fact | None:
    """The value of an attribute; None for a list or a map, which no fact is."""
    value = item.value
    which = value.WhichOneof("value")
    return getattr(value, which) if which in _PLAIN else None


def attributes_of(items: Any, only: Container[str] | None = None) -> dict[str, Fact | None]:
    """The attributes of a span or an event, by their key; ``only`` those of some keys, which is faster."""
    found: dict[str, Fact | None] = {}
    for item in items:  # not by ``value_of``: there are seven of a span, and a call takes as long as all else
        key = item.key
        if only is None or key in only:
            value = item.value
            which = value.WhichOneof("value")
            found[key] = getattr(value, which) if which in _PLAIN else None
    return found


def as_time(text: Fact | None) -> int | None:
    """A time that came as text, ns since the epoch; None for whatever is no such time."""
    try:
        at = int(str(text))
    except ValueError:
        return None
    return at if 0 < at <= LATEST_TIME - MARGIN else None
