"""Where to look at a room: its page, and its trace in Jaeger."""

from __future__ import annotations

from urllib.parse import quote

__all__ = ["page_link", "trace_link"]


def page_link(sid: str, base: str) -> str:
    """Address of the page of the room with this SID at the `tracer serve` that listens at ``base``."""
    return f"{base.rstrip('/')}/#room={quote(sid, safe='')}"


def trace_link(trace_id: str, base: str) -> str:
    """Address of the page of the trace with this id (32 hexadecimal digits) in the Jaeger at ``base``.

    ``base`` is the value of ``TRACER_JAEGER_URL``, as ``http://127.0.0.1:16686``, or with the path that a proxy adds.
    """
    return f"{base.rstrip('/')}/trace/{trace_id}"
