"""What a receiver received, in a file that can be replayed.

One JSON object a line: a webhook's body (without the room's TURN password, which is a secret), an OTLP request, or
moments of the observer. ``tracer.service.replay`` reads it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from tracer.errors import TracerError
from tracer.witness.evidence import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tracer.moment import Moment


__all__ = ["Recorder", "line_of_moments", "line_of_traces", "line_of_webhook"]


class Recorder:
    """Writes the file, one line for each request that was accepted."""

    def __init__(self, path: Path) -> None:
        try:
            # It holds names and attributes of callers: only its owner may read it, and it never replaces another file.
            path.touch(mode=0o600, exist_ok=False)
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise TracerError(f"cannot write {path}: {error.strerror}") from None

    def webhook(self, body: bytes, arrival: int) -> None:
        """A webhook that was accepted, and when it arrived, ns since the epoch by the receiver's clock."""
        self._write(line_of_webhook(body, arrival))

    def traces(self, body: bytes, content_type: str, arrival: int) -> None:
        """An OTLP request that was accepted, and when it arrived."""
        self._write(line_of_traces(body, content_type, arrival))

    def moments(self, moments: Iterable[Moment]) -> None:
        """What the observer found."""
        self._write(line_of_moments(moments))

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()


def line_of_webhook(body: bytes, arrival: int) -> dict[str, Any]:
    """A webhook as JSON types, and when it arrived, ns since the epoch by the receiver's clock."""
    return {"webhook": json.loads(without_secrets(body)), "at": arrival}


def line_of_traces(body: bytes, content_type: str, arrival: int) -> dict[str, Any]:
    """An OTLP request as JSON types, and when it arrived."""
    return {"traces": b64encode(body).decode(), "type": content_type, "at": arrival}


def line_of_moments(moments: Iterable[Moment]) -> dict[str, Any]:
    """Moments as JSON types."""
    return {"moments": [moment.row() for moment in moments]}
