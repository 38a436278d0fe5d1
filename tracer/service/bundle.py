"""One room in one file, to keep and to send: what is known of it, and what it was known with.

It is a recording, gzipped, whose first line says what it is: every command that reads a recording reads it, and answers
as of the moment at which it was made. What came in stands in it as it came, or, redacted, with pseudonyms.
"""

from __future__ import annotations

import gzip
import json
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, NamedTuple

from tracer.service.pseudonyms import Pseudonyms
from tracer.service.recording import line_of_moments, line_of_traces, line_of_webhook
from tracer.service.without_names import told_by, without_names
from tracer.store import Form
from tracer.store.load import moments_around
from tracer.timeline.listened import union

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracer.moment import Moment
    from tracer.store import Evidence, Reader

__all__ = ["SCHEMA", "Bundle", "bundle"]

SCHEMA = "tracer.bundle/1"
"""What the first line begins with."""
MOMENTS_A_LINE = 200
"""So that no line is long."""
PACKAGES = ("livekit-tracer", "livekit-agents", "livekit-api", "livekit-protocol", "opentelemetry-sdk")
"""Whose versions say what could be seen; of this machine, which may not be the agent's."""


class Bundle(NamedTuple):
    """What was made."""

    body: bytes
    moments: int
    requests: int
    """How many webhooks and requests of agents are in it."""


def bundle(reader: Reader, sid: str, now: int, *, redact: bool, settings: Mapping[str, Any]) -> Bundle:
    """The room with this SID, as of ``now``, ns. ``settings`` hold no secret. Raises StoreError."""
    own, around, pieces = reader.moments(sid), moments_around(reader, sid), reader.evidence(sid)
    began = min((moment.earliest for moment in (*own, *around) if moment.room), default=0)
    if redact:
        names = Pseudonyms([*own, *around])
        own, around = [names.moment(one) for one in own], [names.moment(one) for one in around]
        pieces = [named for piece in pieces if (named := without_names(piece, names))]
    told = set(told_by(pieces))
    own = [one for one in own if one not in told]
    header = {
        "bundle": SCHEMA,
        "room": sid,
        "now": now,
        "listened": _listened(reader, began, now),
        "redacted": redact,
        "versions": _versions(),
        "settings": dict(settings),
    }
    lines = [header, *map(_line, pieces), *_lines(own), *_lines(around)]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return Bundle(gzip.compress(text.encode(), mtime=0), len(own) + len(around), len(pieces))


def _listened(reader: Reader, began: int, now: int) -> list[list[int]]:
    """When tracer listened from ``began`` on, ns."""
    return [[since, min(until, now)] for since, until in union(reader.listened()) if since <= now and until >= began]


def _line(piece: Evidence) -> dict[str, Any]:
    if piece.form is Form.WEBHOOK:
        return line_of_webhook(piece.body, piece.at)
    return line_of_traces(
        piece.body, "application/json" if piece.form is Form.OTLP_JSON else "application/x-protobuf", piece.at
    )


def _lines(moments: list[Moment]) -> Iterator[dict[str, Any]]:
    for first in range(0, len(moments), MOMENTS_A_LINE):
        yield line_of_moments(moments[first : first + MOMENTS_A_LINE])


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": platform.system()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
