"""What is wrong with a LiveKit server's address or key, and what to do: the server itself is asked."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from livekit.api import AccessToken, VideoGrants

from tracer.reaching import UNREACHED, in_words
from tracer.settings import address
from tracer.units import duration

if TYPE_CHECKING:
    import aiohttp

    from tracer.settings import LiveKit

__all__ = ["ServerFault", "find_fault"]

ENOUGH = 4096
"""Bytes of an answer that are read."""
NTP = "synchronize this machine's clock with NTP"


@dataclass(frozen=True, slots=True)
class ServerFault:
    """Neither sentence ever holds a secret or a token."""

    text: str
    """What is wrong, with the address and, where that is it, the key."""
    fix: str
    """What to do."""

    def __str__(self) -> str:
        return f"{self.text} → {self.fix}"


async def find_fault(
    server: LiveKit, session: aiohttp.ClientSession, *, limit: float, setting: str = "LIVEKIT_URL"
) -> ServerFault | None:
    """Ask for the list of rooms, as every LiveKit server knows it; None when it is given.

    ``limit`` is how many seconds ``session`` waits; ``setting`` is what holds the address. Not with livekit-api, whose
    error does not contain what the server answers about the key. That text can contain the token itself, and is never
    shown.
    """
    try:
        status, headers, body = await _ask(server, session)
    except UNREACHED as error:
        return _unreached(server, in_words(error, limit), setting)
    if status == 200 and _is_list_of_rooms(body):
        return None
    return _refusal(server, status, headers, body, setting)


async def _ask(server: LiveKit, session: aiohttp.ClientSession) -> tuple[int, dict[str, str], str]:
    token = AccessToken(server.api_key, server.api_secret).with_grants(VideoGrants(room_list=True)).to_jwt()
    async with session.post(
        f"{_over_http(server.url)}/twirp/livekit.RoomService/ListRooms",
        data=b'{"names": ["tracer-doctor"]}',
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        allow_redirects=False,
    ) as answer:
        body = await answer.content.read(ENOUGH)
        return answer.status, {key.lower(): value for key, value in answer.headers.items()}, body.decode("latin-1")


def _unreached(server: LiveKit, why: str, setting: str) -> ServerFault:
    text = f"no LiveKit at {address(server.url)}: {why}"
    if "TLS" in why:
        return ServerFault(text, f"set {setting} to {_scheme_changed(server.url)}")
    return ServerFault(text, f"start the server, or set {setting} to where it listens")


def _over_http(url: str) -> str:
    """The address of the server's API: ws is http there, and wss is https."""
    return url.replace("ws", "http", 1).rstrip("/") if url.startswith("ws") else url.rstrip("/")


def _scheme_changed(url: str) -> str:
    """The same with TLS where it had none, and without where it had."""
    scheme, _, rest = address(url).partition("://")
    other = {"ws": "wss", "wss": "ws", "http": "https", "https": "http"}
    return f"{other[scheme]}://{rest}"


def _is_list_of_rooms(body: str) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.keys() <= {"rooms"}


def _refusal(server: LiveKit, status: int, headers: dict[str, str], body: str, setting: str) -> ServerFault:
    """What an answer that is not a list of rooms means, and what to do."""
    at, key = f"LiveKit at {address(server.url)}", repr(server.api_key)
    if status == 401:
        if "invalid API key" in body:
            return ServerFault(
                f"{at} answers, but does not know the key {key}", "set LIVEKIT_API_KEY to one of the server's keys"
            )
        if "not valid yet" in body or "is expired" in body:
            return ServerFault(f"{at} answers, but rejects our token as {_out_of_time(headers)}", NTP)
        if "permissions denied" in body:
            return ServerFault(
                f"{at} answers, but the key {key} may not list rooms", "use an API key that may list rooms"
            )
        what = f"the secret is not that of the key {key}" if "signature" in body else f"rejects the key {key}"
        return ServerFault(f"{at} answers, but {what}", f"set LIVEKIT_API_SECRET to the secret of the key {key}")
    if "HTTP request to an HTTPS server" in body or headers.get("location", "").startswith("https://"):
        return ServerFault(f"{address(server.url)} requires TLS", f"set {setting} to {_scheme_changed(server.url)}")
    if status >= 500:
        fix = "see the log of the server, and of the proxy in front of it"
        return ServerFault(f"{at} answers with HTTP {status}", fix)
    text = f"{address(server.url)} is not a LiveKit server (ListRooms: HTTP {status})"
    return ServerFault(text, f"set {setting} to where the server listens")


def _out_of_time(headers: dict[str, str]) -> str:
    """How far our clock is from the answer's ``Date``, to a second; a token that is rejected for it is a minute off."""
    try:
        ours = time.time() - parsedate_to_datetime(headers.get("date", "")).timestamp()
    except ValueError:
        return "out of date: one of the two clocks is wrong"
    return f"out of date: this machine's clock is {duration(abs(ours))} {'ahead' if ours > 0 else 'behind'}"
