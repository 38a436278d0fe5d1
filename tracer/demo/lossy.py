"""A proxy between server and receiver that drops some webhooks and answers the server as if it had not.

python -m tracer.demo.lossy PORT RECEIVER_PORT EVENT…
"""

from __future__ import annotations

import json
import sys

import aiohttp
from aiohttp import web

__all__: list[str] = []


def proxy(receiver: str, lost: set[str]) -> web.Application:
    """Passes webhooks on to the receiver, except those of these events."""

    async def pass_on(request: web.Request) -> web.Response:
        body = await request.read()
        if json.loads(body).get("event") in lost:
            return web.Response()  # as an overloaded proxy answers
        kept = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        async with (
            aiohttp.ClientSession(receiver) as session,
            session.post(request.path, data=body, headers=kept) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())

    async def healthy(_: web.Request) -> web.Response:
        return web.Response()

    application = web.Application()
    application.add_routes([web.post("/webhook", pass_on), web.get("/healthz", healthy)])
    return application


if __name__ == "__main__":
    port, receiver_port, *events = sys.argv[1:]
    application = proxy(f"http://127.0.0.1:{receiver_port}", set(events))
    web.run_app(application, host="127.0.0.1", port=int(port), print=None)
