"""Every error that can reach a user. Each names what was wrong, with what value, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "BadSignatureError",
    "BadTokenError",
    "BinaryMissingError",
    "CallError",
    "ConfigurationError",
    "DemoError",
    "ForbiddenError",
    "MalformedError",
    "OverloadedError",
    "PortInUseError",
    "RecordingError",
    "StoreError",
    "TooLargeError",
    "TracerError",
    "UnknownRoomError",
    "UnknownWordError",
    "UnreadableError",
    "UnsupportedError",
]


class TracerError(Exception):
    """The root. At the command line its text is the one line shown."""

    exit_code = 1


class ConfigurationError(TracerError):
    """A setting, an option or an argument is missing or wrong."""

    exit_code = 2


class PortInUseError(TracerError):
    """Another program listens on this port already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port} is in use: stop what listens there, or choose another with --port")


class StoreError(TracerError):
    """A store cannot be opened, read or written."""


class UnreadableError(StoreError):
    """A moment of a room is damaged or was written by a later tracer. Other rooms can be read."""


class UnknownRoomError(TracerError):
    """No room of that name or SID is in the store."""

    def __init__(self, room: str, store: str, near: str = "") -> None:
        """``near`` says which rooms could be meant."""
        self.near = near
        more = f"{near} " if near.endswith("?") else f"{near}; " if near else ""
        super().__init__(f"no room {room!r} in {store}: {more}`tracer rooms` lists what is there")


class UnknownWordError(TracerError):
    """Nothing is said of this word."""

    def __init__(self, word: str, near: Sequence[str] = ()) -> None:
        """``near`` are words that could be meant."""
        shown = word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}…"
        *others, last = [repr(one) for one in near] or [""]
        more = f"did you mean {' or '.join([', '.join(others), last] if others else [last])}? " if last else ""
        super().__init__(f"no word {shown!r}: {more}`tracer explain` lists what is explained")


_LONGEST_WORD = 60
"""Characters of a word that are repeated in an error."""


class BadSignatureError(TracerError):
    """A webhook is not signed with the API key that tracer has. The text never holds the token."""


class MalformedError(TracerError):
    """A request cannot be decoded."""


class BadTokenError(TracerError):
    """A request without the token that agents have to send."""


class ForbiddenError(TracerError):
    """A request of somebody who may not send any."""


class OverloadedError(TracerError):
    """More comes in at one time than is taken at one time; the sender may come again."""


class UnsupportedError(TracerError):
    """A body of a content type that is not taken."""


class TooLargeError(TracerError):
    """What came in would take more memory than it is given."""


class RecordingError(TracerError):
    """A file is neither a recording of `tracer serve --record` nor a bundle, or is damaged."""

    def __init__(self, path: Path, why: str, line: int = 0) -> None:
        where = f"line {line} of {path}" if line else str(path)
        super().__init__(f"{where} is neither a recording of `tracer serve --record` nor a bundle: {why}")


class BinaryMissingError(TracerError):
    """A server that the demo or a test needs is not on this machine and cannot be built."""


class CallError(TracerError):
    """A call could not be made, or the server ended it. The text never holds the token."""


class DemoError(TracerError):
    """The demo, or a server that it starts, failed."""
