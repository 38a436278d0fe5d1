"""Answers to requests, bounded: for OpenTelemetry's exporter, which reads whatever a receiver sends."""

from __future__ import annotations

import io
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LARGEST_ANSWER", "BoundedSession"]

LARGEST_ANSWER = 4 * 1024
"""Bytes that are read of an answer: a status and a reason."""
LONGEST_READ_S = 5.0
"""Seconds in which an answer's body is read, besides the wait for its first byte."""


class BoundedSession(requests.Session):
    """Reads no more of an answer than ``LARGEST_ANSWER``, in no longer than about ``LONGEST_READ_S``.

    What is longer, or breaks off, counts as answered: its status is known.
    """

    def __init__(self) -> None:
        super().__init__()
        self.headers["Accept-Encoding"] = "identity"  # the body is not unpacked: a small one can hold a large one

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """The answer, with its body read and its connection free again or closed."""
        answer = super().send(request, **{**how, "stream": True})
        body = b"".join(_read(answer))
        answer.close()
        answer.raw = io.BytesIO(body)
        return answer


def _read(answer: requests.Response) -> Iterator[bytes]:
    """Byte by byte: to read more at once is to wait for as many, and each byte may take as long as the timeout."""
    end = time.monotonic() + LONGEST_READ_S
    with suppress(Exception):  # an answer that breaks off has a status too; what is raised depends on the library below
        for _ in range(LARGEST_ANSWER):
            byte = answer.raw.read(1) if time.monotonic() < end else b""
            if not byte:
                return
            yield byte
