"""A request as its handler takes it, and the answer, whichever HTTP server they pass through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web

if TYPE_CHECKING:
    from tracer.service.senders import Asked

__all__ = ["Answer", "Route", "Take"]

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    status: int = 200
    text: str = ""
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()

    def of_aiohttp(self) -> web.Response:
        """The same for aiohttp."""
        headers = {**dict(self.headers), "Content-Type": self.content_type}
        return web.Response(status=self.status, body=self.text.encode(), headers=headers)


Take = Callable[[bytes], Awaitable[Answer]]
"""Takes the body of a request that was admitted."""


class Route(NamedTuple):
    """What is done at an address that takes bodies."""

    admit: Callable[[Asked], Take]
    """Looks at the head alone; of whom it refuses, no byte of the body is read. Raises TracerError."""
    largest: int
    """Bytes of a body, as it is sent."""
