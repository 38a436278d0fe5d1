"""What LiveKit answers, from a server in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def answer(
    status: int, text: str = "", kind: str = "text/plain", **headers: str
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        # As LiveKit does, which says the token again.
        told = text.replace("TOKEN", request.headers.get("Authorization", "").removeprefix("Bearer "))
        return web.Response(status=status, text=told, content_type=kind, headers=headers)

    return handler
