"""Who may send: no web page. What is not signed is taken from programs of this machine or network only."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from tracer.errors import ForbiddenError

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["refuse_web_pages"]


def refuse_web_pages(request: web.BaseRequest, host: str) -> None:
    """Raises ForbiddenError for what a browser sent, and for a name of the receiver that could be an attacker's.

    A web page can post to any address that its reader's machine reaches, and by a name of its own that leads here
    (DNS rebinding) it could read the answer. Programs send no Origin. ``host`` is what the receiver listens on: beyond
    loopback it may have any name.
    """
    if "Origin" in request.headers:
        raise ForbiddenError("requests of web pages (with an Origin header) are not taken")
    named = _name(request.host)
    if not _is_here(named) and _is_loopback(host) and named != host:
        raise ForbiddenError(
            f"the Host header names {named[:100]!r}, and this receiver listens on {host}: use that address, or --host"
        )


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _is_here(name: str) -> bool:
    """Whether only a name server of one's own could have made this name: an address, or a name without a dot."""
    try:
        ip_address(name)
    except ValueError:
        return "." not in name.rstrip(".") or name.endswith(".localhost")
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
