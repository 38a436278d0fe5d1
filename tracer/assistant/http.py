"""The server over streamable HTTP: who may ask, and what a request may take. It keeps no session."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from tracer.errors import BadTokenError, ConfigurationError, ForbiddenError, PortInUseError
from tracer.service.senders import is_loopback, refuse_other_sites, refuse_unknown_readers

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Guard", "app", "serve_http"]

log = logging.getLogger("tracer")

PATH = "/mcp"
LARGEST = 64 * 1024
"""Bytes of a request: a tool's arguments are names."""
LONGEST = 75.0
"""Seconds of a request with its answer: more than a tool may take, and so what a slow sender is given."""


@dataclass(frozen=True, slots=True)
class _Asked:
    headers: Headers
    host: str
    path: str


class Guard:
    """An ASGI application behind which only those ask who may read; ``host`` is what it listens on."""

    def __init__(self, inside: ASGIApp, token: str, host: str) -> None:
        self._inside = inside
        self._token = token
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the application's start and stop."""
        if scope["type"] == "lifespan":
            await self._inside(scope, receive, send)
            return
        if refused := self._refused(scope):
            await refused(scope, receive, send)
            return
        try:
            async with asyncio.timeout(LONGEST):
                await self._inside(scope, receive, send)
        except TimeoutError:
            log.warning("a request over HTTP took longer than %.0f s", LONGEST)

    def _refused(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        asked = _Asked(headers, headers.get("host", ""), scope["path"])
        try:
            refuse_other_sites(asked, self._host)
            refuse_unknown_readers(asked, self._token, self._host)
        except ForbiddenError as error:
            return PlainTextResponse(f"{error}\n", 403)
        except BadTokenError as error:
            return PlainTextResponse(f"{error}\n", 401, {"WWW-Authenticate": "Bearer"})
        if scope["type"] != "http" or scope["method"] not in ("POST", "DELETE"):
            # A stream that the server would send by itself into: there is nothing to send.
            return PlainTextResponse("requests are posted here\n", 405, {"Allow": "POST"})
        return None


def app(server: MCPServer[None], token: str, host: str) -> ASGIApp:
    """The application. Host and Origin are checked as for the page, in one place."""
    from mcp.server.transport_security import TransportSecuritySettings

    inside = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=LARGEST,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    return Guard(inside, token, host)


async def serve_http(server: MCPServer[None], host: str, port: int, token: str) -> None:
    """Serve until SIGINT or SIGTERM, in the main thread.

    Raises ConfigurationError beyond loopback without a token, PortInUseError.
    """
    import uvicorn

    from tracer.assistant.connection import IDLE, MOST, Connection

    if not token and not is_loopback(host):
        raise ConfigurationError(
            f"--host {host}: everyone who reaches it could read every room; set TRACER_READ_TOKEN, or leave --host out"
        )
    logging.getLogger("mcp").setLevel(logging.WARNING)  # it logs each request
    listening = _listen(host, port)
    config = uvicorn.Config(
        app(server, token, host),
        log_config=None,
        access_log=False,
        server_header=False,
        http=Connection,
        limit_concurrency=2 * MOST,  # those that are being closed count here
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=3,
    )
    shown = f"[{host}]" if ":" in host else host
    # Once it has stopped, uvicorn raises the signal that it stopped for again: it was told to, and nothing has failed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    log.info("listening on http://%s:%d%s", shown, listening.getsockname()[1], PATH)
    await uvicorn.Server(config).serve([listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ConfigurationError(f"--host {host!r} is no address of this machine: {error.strerror}") from None
    listening = socket.socket(family, kind, proto)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen()
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(host, port) from None
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return listening
