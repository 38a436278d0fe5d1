"""Who may send what is not signed: no web page, and beyond this machine only who has the token."""

from __future__ import annotations

import hmac
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from tracer.errors import BadTokenError, ForbiddenError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Asked",
    "is_loopback",
    "refuse_other_sites",
    "refuse_strangers",
    "refuse_unknown_readers",
    "refuse_web_pages",
]


class Asked(Protocol):
    """A request, whichever HTTP server it came to."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers; upper and lower case of their names are one."""

    @property
    def host(self) -> str:
        """Its Host header."""

    @property
    def path(self) -> str:
        """Its path, without the query."""


def refuse_web_pages(request: Asked, host: str) -> None:
    """Raises ForbiddenError for what a browser sent, and for a name of the receiver that could be an attacker's.

    A web page can post to any address that its reader's machine reaches, and by a name of its own that leads here
    (DNS rebinding) it could read the answer. Programs send no Origin. ``host`` is what the receiver listens on: beyond
    loopback it may have any name.
    """
    if "Origin" in request.headers:
        raise ForbiddenError("requests of web pages (with an Origin header) are not taken")
    _refuse_other_names(request, host)


def refuse_other_sites(request: Asked, host: str) -> None:
    """Raises ForbiddenError for what another site's page asks, and for a name that could be an attacker's.

    tracer's own page asks with its own Origin, or none. Who opens the page by a link on another site is welcome.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise ForbiddenError("requests of other sites' pages (with another Origin) are not answered")
    is_opened = (
        request.headers.get("Sec-Fetch-Mode") == "navigate" and request.headers.get("Sec-Fetch-Dest") == "document"
    )
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not (is_opened and request.path == "/"):
        raise ForbiddenError("requests of other sites' pages are not answered")
    _refuse_other_names(request, host)


def refuse_unknown_readers(request: Asked, token: str, host: str) -> None:
    """Raises BadTokenError for whoever does not have ``TRACER_READ_TOKEN``.

    Raises ForbiddenError where there is none, and the receiver listens beyond loopback.
    """
    if not token and not is_loopback(host):
        raise ForbiddenError(
            f"this receiver listens on {host}, where everyone could read every room: set TRACER_READ_TOKEN for it"
        )
    if token and not _has(request, token):
        raise BadTokenError("whoever reads here needs this receiver's TRACER_READ_TOKEN")


def _refuse_other_names(request: Asked, host: str) -> None:
    named = _name(request.host)
    if not _is_here(named) and is_loopback(host) and named != host:
        raise ForbiddenError(
            f"the Host header names {named[:100]!r}, and this receiver listens on {host}: use that address, or --host"
        )


def refuse_strangers(request: Asked, token: str) -> None:
    """Raises BadTokenError for a request that does not have it; with an empty token everyone is admitted."""
    if token and not _has(request, token):
        sent = request.headers.get("Authorization", "")
        what = "another TRACER_INGEST_TOKEN than this receiver's" if sent else "no TRACER_INGEST_TOKEN"
        raise BadTokenError(
            f"the request has {what}: set it for the agent, or Authorization=Bearer%20… in OTEL_EXPORTER_OTLP_HEADERS"
        )


def _has(request: Asked, token: str) -> bool:
    sent = request.headers.get("Authorization", "")
    return hmac.compare_digest(sent.encode("utf-8", "surrogateescape"), f"Bearer {token}".encode())


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


@lru_cache(maxsize=64)  # of senders there are few, and each has the same name for this receiver
def _is_here(name: str) -> bool:
    """Whether only a name server of one's own could have made this name: an address, or a name without a dot."""
    try:
        ip_address(name)
    except ValueError:
        return "." not in name.rstrip(".") or name.endswith(".localhost")
    return True
