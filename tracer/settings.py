"""What the environment says. Read once, at the command line; nothing below asks the environment again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import platformdirs
from dotenv import find_dotenv, load_dotenv

from tracer.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HERE", "LiveKit", "address", "cache_dir", "checked_url", "default_store", "load_env", "where"]

APP = "livekit-tracer"


@dataclass(frozen=True, slots=True)
class LiveKit:
    """Where the server is and the key to it. ``url`` can be empty where only signatures are checked."""

    url: str
    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return f"LiveKit(url={self.url!r}, api_key={self.api_key!r}, api_secret=…)"

    @classmethod
    def from_env(cls, url: str | None = None) -> LiveKit:
        """From ``LIVEKIT_URL``, ``LIVEKIT_API_KEY`` and ``LIVEKIT_API_SECRET``; ``url`` in place of the first.

        Raises ConfigurationError when a key is missing or the URL is not one.
        """
        missing = [name for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET") if not os.environ.get(name)]
        if missing:
            raise ConfigurationError(
                f"{' and '.join(missing)} not set: export the key pair of your LiveKit server, or put it into .env"
            )
        url = (url or os.environ.get("LIVEKIT_URL", "")).strip()
        if url:
            checked_url("LIVEKIT_URL", url, "ws", "wss", "http", "https")
        return cls(url, os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])


def load_env() -> None:
    """Read ``.env`` from this folder or one above, as LiveKit's own examples do; what is set already wins."""
    path = find_dotenv(usecwd=True)
    try:
        load_dotenv(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {path}: {error}") from None


def checked_url(name: str, url: str, *schemes: str) -> str:
    """The URL under this name. Raises ConfigurationError when it has none of the schemes, no host, or no real port."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and parts.hostname is not None and parts.port != 0
    except ValueError:
        good = False
    if not good:
        wanted = " or ".join(f"{scheme}://HOST:PORT" for scheme in schemes)
        shown = "…@" * ("@" in url) + url.rpartition("@")[2]  # what is before it can be a password
        raise ConfigurationError(f"{name} is {shown!r}: it must look like {wanted}")
    return url


def address(url: str) -> str:
    """A URL to show: without user, password and query, which can be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


HERE = "localhost"
"""What ``where`` calls this machine."""


def where(url: str) -> tuple[str, int]:
    """Host and port that an HTTP URL leads to; for each of this machine's own names the host is ``HERE``."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    itself = host in ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104  looked for, not bound
    return HERE if itself else host, parts.port or (443 if parts.scheme == "https" else 80)


def default_store() -> str:
    """``TRACER_STORE`` or, without it, a file in the user's state folder."""
    return os.environ.get("TRACER_STORE") or str(platformdirs.user_state_path(APP) / "tracer.db")


def cache_dir() -> Path:
    """Where binaries that were built are kept, outside any checkout."""
    return platformdirs.user_cache_path(APP)
