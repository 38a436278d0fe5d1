"""Answers to requests, bounded: for OpenTelemetry's exporter, which reads whatever a receiver sends."""

from __future__ import annotations

import http.client
import io
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer
    from urllib3 import PoolManager

__all__ = ["LARGEST_ANSWER", "BoundedSession"]

LARGEST_ANSWER = 4 * 1024
"""Bytes that are read of an answer's body: a status and a reason."""
LARGEST_WITH_HEAD = 64 * 1024
"""Bytes that are read of an answer with its headers, and with each ``100 Continue`` before it."""
LONGEST_READ_S = 5.0
"""Seconds in which an answer is read, besides the wait for its first byte."""


class BoundedSession(requests.Session):
    """Reads no more of an answer than ``LARGEST_ANSWER``, in no longer than about ``LONGEST_READ_S``.

    A body that is longer, or breaks off, counts as answered: its status is known. An answer whose head does not end
    raises requests' ConnectionError or ReadTimeout, as one that does not come.
    """

    def __init__(self) -> None:
        super().__init__()
        self.headers["Accept-Encoding"] = "identity"  # the body is not unpacked: a small one can hold a large one
        self.mount("http://", _Adapter())
        self.mount("https://", _Adapter())

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """The answer, with its body read and its connection free again or closed."""
        answer = super().send(request, **{**how, "stream": True})
        body = b"".join(_read(answer))
        answer.close()
        answer.raw = io.BytesIO(body)
        return answer


def _read(answer: requests.Response) -> Iterator[bytes]:
    """Byte by byte: to read more at once is to wait for as many, and to lose what came when no more does."""
    with suppress(Exception):  # an answer that breaks off has a status too; what is raised depends on the library below
        for _ in range(LARGEST_ANSWER):
            byte = answer.raw.read(1)
            if not byte:
                return
            yield byte


class _Bounded(io.RawIOBase):
    """What comes on a connection for one answer.

    Raises OSError when that is too much, and TimeoutError when it takes too long.
    """

    def __init__(self, connection: io.RawIOBase) -> None:
        self._connection = connection
        self._left = LARGEST_WITH_HEAD
        self._end: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        if self._left <= 0:
            raise OSError(f"the answer is longer than {LARGEST_WITH_HEAD} bytes")
        if self._end is not None and time.monotonic() > self._end:
            raise TimeoutError("timed out")
        count = self._connection.readinto(buffer)
        self._left -= count or 0
        if self._end is None:
            self._end = time.monotonic() + LONGEST_READ_S
        return count

    def close(self) -> None:
        self._connection.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """http.client reads the head itself, and passes over each ``100 Continue``, however many come."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fp = io.BufferedReader(_Bounded(self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Answer


class _SecureConnection(HTTPSConnection):
    response_class = _Answer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _bound(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        _bound(manager)
        return manager


def _bound(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
