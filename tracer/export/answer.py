"""What a backend's answer means, by the OTLP specification, section OTLP/HTTP Response."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has types, and no mark that says so
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tracer.settings import address

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Verdict", "read"]

RETRYABLE = {429, 502, 503, 504}
"""The only statuses after which the same request may be sent again."""
NOT_HERE = {401, 402, 403, 404, 405, 407, 501}
"""Statuses that find fault with the address or the key: whatever is sent there is refused."""
LONGEST_REASON = 300
"""Characters of a backend's reason that are shown."""
LONGEST_RETRY_AFTER = 3600.0
"""Seconds that a backend may ask to be left alone."""


class Verdict(StrEnum):
    """What becomes of the spans that were sent."""

    ACCEPTED = "accepted"
    """They are not sent again, not even those that a partial success rejects."""
    REFUSED = "refused"
    """They are not sent again: the backend will not have them."""
    NOT_HERE = "not_here"
    """It accepts nothing as it is addressed: they wait until it is addressed otherwise."""
    LATER = "later"
    """They are sent again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or that there was none."""

    verdict: Verdict
    text: str = ""
    """What it says, in words that follow "ADDRESS: ": the status, and the backend's own reason."""
    kind: str = ""
    """The same without what differs from one answer to the next: what was said once is not said again."""
    status: int = 0
    """HTTP's; 0 when there was no answer."""
    rejected: int = 0
    """How many of the accepted request's spans were rejected."""
    retry_after: float | None = None
    """Seconds after which the backend wants to be asked again."""


def read(url: str, status: int, headers: Mapping[str, str], body: bytes | None) -> Answer:
    """What it means; None for a body that is too large, or did not come whole."""
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    verdict, rejected, retry_after = _verdict(status), 0, None
    if verdict is Verdict.ACCEPTED and kind == "text/html":  # a page to log in to, or another program
        verdict, reason = Verdict.NOT_HERE, "a web page, which is no answer to spans"
    elif verdict is Verdict.ACCEPTED:
        rejected, reason = _partial_success(kind, body or b"")
    elif 300 <= status < 400 and (location := headers.get("Location")):
        reason = f"it redirects to {_elsewhere(url, location)}"
    else:
        reason = _reason(kind, body or b"")
    if verdict is Verdict.LATER:
        retry_after = _seconds(headers.get("Retry-After", ""))
    said = f"HTTP {status}"
    text = reason if verdict is Verdict.ACCEPTED else f"{said}: {reason}" if reason else said
    return Answer(verdict, text, said, status, rejected, retry_after)


def _verdict(status: int) -> Verdict:
    if 200 <= status < 300:
        return Verdict.ACCEPTED
    if status in RETRYABLE:
        return Verdict.LATER
    return Verdict.NOT_HERE if status < 400 or status in NOT_HERE else Verdict.REFUSED


def _line(text: str) -> str:
    """Text from outside as one short line that nothing acts on."""
    safe = "".join(char if char.isprintable() else " " for char in text[: 4 * LONGEST_REASON])
    line = " ".join(safe.split())
    return line if len(line) <= LONGEST_REASON else line[:LONGEST_REASON] + "…"


def _partial_success(kind: str, body: bytes) -> tuple[int, str]:
    """How many spans of an accepted request were rejected, and why; or none, and what else the backend has to say."""
    try:
        if kind == "application/json":
            told = json.loads(body or b"{}").get("partialSuccess") or {}
            return max(int(told.get("rejectedSpans") or 0), 0), _line(str(told.get("errorMessage") or ""))
        partial = ExportTraceServiceResponse.FromString(body).partial_success
        return max(partial.rejected_spans, 0), _line(partial.error_message)
    except (DecodeError, ValueError, TypeError, AttributeError, RecursionError):
        return 0, ""  # as "OK" in plain text: the status says that they were accepted


def _reason(kind: str, body: bytes) -> str:
    """The backend's reason: the message of a ``google.rpc.Status`` or what else it says in a few words."""
    if kind == "text/html":
        return ""
    if kind == "application/json":
        try:
            return _line(_message(json.loads(body)))
        except (ValueError, RecursionError):
            pass  # not JSON, then: as text
    elif kind == "application/x-protobuf":
        try:
            return _line(Status.FromString(body).message)
        except DecodeError:
            return ""
    return _line(body[: 4 * LONGEST_REASON].decode(errors="replace"))


def _message(told: Any) -> str:
    """What a JSON answer has for a message, by the names that backends use."""
    if isinstance(told, dict):
        for name in ("message", "error", "detail", "reason"):
            if told.get(name):
                return _message(told[name])
    return told if isinstance(told, str) else json.dumps(told)


def _elsewhere(url: str, location: str) -> str:
    try:
        return _line(address(urljoin(url, location)))
    except ValueError:
        return "an address that is not valid"


def _seconds(retry_after: str) -> float | None:
    """The header's value: a number of seconds, or a date."""
    try:
        if retry_after.strip().isdecimal():
            seconds = float(retry_after)
        else:
            at = parsedate_to_datetime(retry_after)
            seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
