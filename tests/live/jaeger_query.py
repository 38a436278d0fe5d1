"""Reads traces back from Jaeger, by the API that its user interface uses."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracer.local_servers.jaeger import Jaeger


def trace_of(jaeger: Jaeger, trace_id: str) -> list[dict[str, Any]]:
    """The trace's spans, each with its ``service`` and its ``attributes`` by key; none when there is no such trace."""
    try:
        with urllib.request.urlopen(f"{jaeger.query_url}/api/traces/{trace_id}", timeout=10) as answer:  # noqa: S310
            [trace] = json.load(answer)["data"]
    except OSError:
        return []
    for span in trace["spans"]:
        span["service"] = trace["processes"][span["processID"]]["serviceName"]
        span["attributes"] = {tag["key"]: tag["value"] for tag in span["tags"]}
    return list(trace["spans"])
