"""Pseudonyms: a name has the same one each time, on this machine, and is not found by trying names elsewhere.

A bundle's are numbered within it (``tracer.service.pseudonyms``); an assistant asks about one room after the other.
"""

from __future__ import annotations

import hmac
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Pseudonyms", "key_in"]

BYTES = 32
DIGITS = 8
"""Hexadecimal digits of a pseudonym: of a hundred thousand names two are likely to be alike, of a room's none."""


class Pseudonyms:
    """Names by a secret key: phone numbers could be tried one by one without it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def identity(self, identity: str) -> str:
        """Of a participant's identity."""
        return f"identity-{self._digits('identity', identity)}"

    def room(self, name: str) -> str:
        """Of a room's name."""
        return f"room-{self._digits('room', name)}"

    def _digits(self, what: str, text: str) -> str:
        message = f"{what}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, "sha256").hexdigest()[:DIGITS]


def key_in(path: Path) -> bytes:
    """The key in this file, which is made where it is not there.

    Where it can be neither read nor made, a new key: pseudonyms are then the same for as long as this process runs.
    """
    made = os.urandom(BYTES)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(made)
        there = path.read_bytes()
        if len(there) == BYTES:
            return there
    return made
