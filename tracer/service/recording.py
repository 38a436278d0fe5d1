"""What a receiver received, in a file that can be replayed.

One JSON object a line: a webhook's body (without the room's TURN password, which is a secret), an OTLP request, or
moments of the observer. A replay signs webhooks again, and everything takes the path it took at first.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import aiohttp
from livekit.api import AccessToken

from tracer.errors import TracerError
from tracer.moment import Moment
from tracer.store import Arrival

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    from tracer.settings import LiveKit

__all__ = ["Recorder", "replay"]


class Recorder:
    """Writes the file, one line for each request that was accepted."""

    def __init__(self, path: Path) -> None:
        try:
            # It holds names and attributes of callers: only its owner may read it, and it never replaces another file.
            path.touch(mode=0o600, exist_ok=False)
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise TracerError(f"cannot write {path}: {error.strerror}") from None

    def webhook(self, body: bytes, arrival: int) -> None:
        """A webhook that was accepted, and when it arrived, ns since the epoch by the receiver's clock."""
        event = json.loads(body)
        for key in ("turnPassword", "turn_password"):
            event.get("room", {}).pop(key, None)
        self._write({"webhook": event, "at": arrival})

    def traces(self, body: bytes, content_type: str) -> None:
        """An OTLP request that was accepted."""
        self._write({"traces": b64encode(body).decode(), "type": content_type})

    def moments(self, moments: Iterable[Moment]) -> None:
        """What the observer found."""
        self._write({"moments": [moment.row() for moment in moments]})

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._file.flush()


async def replay(lines: Iterable[str], url: str, server: LiveKit, keep: Callable[[Arrival], Awaitable[bool]]) -> None:
    """Send a recording to the receiver at ``url``; the observer's moments go to ``keep``.

    Raises TracerError when the receiver refuses it.
    """
    async with aiohttp.ClientSession(url) as session:
        for line in lines:
            item = json.loads(line)
            if "moments" in item:
                await keep(Arrival(tuple(Moment.from_row(row) for row in item["moments"])))
                continue
            if "webhook" in item:
                body = json.dumps(item["webhook"]).encode()
                digest = b64encode(sha256(body).digest()).decode()
                token = AccessToken(server.api_key, server.api_secret).with_sha256(digest).to_jwt()
                path, headers = "/webhook", {"Authorization": token, "Content-Type": "application/webhook+json"}
            else:
                body = b64decode(item["traces"])
                path, headers = "/v1/traces", {"Content-Type": item["type"]}
            async with session.post(path, data=body, headers=headers) as answer:
                if not answer.ok:
                    raise TracerError(f"replay: the receiver answered {answer.status} to {path}: {await answer.text()}")
