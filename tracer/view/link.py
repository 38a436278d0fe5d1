"""Where to look at a trace in Jaeger."""

from __future__ import annotations

__all__ = ["trace_link"]


def trace_link(trace_id: str, base: str) -> str:
    """Address of the page of the trace with this id (32 hexadecimal digits) in the Jaeger at ``base``.

    ``base`` is the value of ``TRACER_JAEGER_URL``, as ``http://127.0.0.1:16686``, or with the path that a proxy adds.
    """
    return f"{base.rstrip('/')}/trace/{trace_id}"
