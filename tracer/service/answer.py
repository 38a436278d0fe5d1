"""A request as its handler takes it, and the answer, whichever HTTP server they pass through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web

if TYPE_CHECKING:
    import asyncio

    from tracer.service.senders import Asked

__all__ = ["Answer", "Route", "Take", "Taken"]

TEXT = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """What is answered."""

    status: int = 200
    text: str = ""
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()

    def of_aiohttp(self) -> web.Response:
        """The same for aiohttp."""
        headers = {**dict(self.headers), "Content-Type": self.content_type}
        return web.Response(status=self.status, body=self.text.encode(), headers=headers)


class Taken(NamedTuple):
    """A request that is being stored."""

    kept: asyncio.Future[bool]
    """Done when it is on disk; an error where it cannot be stored."""
    answer: Answer
    """What is answered then."""


Take = Callable[[bytes, int], Taken]
"""Takes the body of a request that was admitted, without a task of its own, and when its head had come, ns since the
epoch. Raises TracerError."""


class Route(NamedTuple):
    """What is done at an address that takes bodies."""

    admit: Callable[[Asked], Take]
    """Looks at the head alone; of whom it refuses, no byte of the body is read. Raises TracerError."""
    largest: int
    """Bytes of a body, as it is sent."""
    always: bool = False
    """Whether a head that is admitted once always is."""
