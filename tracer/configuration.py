"""``tracer.toml``, or ``[tool.tracer]`` in ``pyproject.toml``: what is the same in every command, once for a project.

Each key stands for an environment variable that is not set, so that an option comes first, then the environment, then
the file. It holds no secrets.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tracer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEYS", "Key", "configured"]

OWN, SHARED = "tracer.toml", "pyproject.toml"
LARGEST = 1024 * 1024
"""Bytes of a file that are read."""
_SECRET = re.compile(r"secret|token|password", re.IGNORECASE)
_TABLE = re.compile(rb"^\s*\[\s*tool\s*\.\s*tracer\s*\]", re.MULTILINE)


class Key(NamedTuple):
    """One key of the file."""

    variable: str
    """The environment variable that it stands for."""
    about: str
    is_switch: bool = False
    """Whether it is true or false, and not text."""


KEYS: Mapping[str, Key] = {
    "store": Key("TRACER_STORE", "the store of recorded events; a path is relative to the file's folder"),
    "url": Key("LIVEKIT_URL", "the LiveKit server"),
    "api-key": Key("LIVEKIT_API_KEY", "the name of its key; the secret stays in the environment or in `.env`"),
    "endpoint": Key("TRACER_ENDPOINT", "where `tracer serve` listens"),
    "jaeger-url": Key("TRACER_JAEGER_URL", "Jaeger's pages"),
    "redact": Key("TRACER_REDACT", "keep and export no personal data: `true` or `false`", is_switch=True),
}
"""All there are."""


def configured(folder: Path) -> dict[str, str]:
    """What the nearest file says, in this folder or one above: environment variables and their values.

    Empty where there is none. Raises ConfigurationError for a file that cannot be read or has a key that is not known.
    """
    for place in (folder, *folder.parents):
        for path in (place / OWN, place / SHARED):
            table = _table(path)
            if table is not None:
                return dict(_variable(path, name, value) for name, value in table.items())
    return {}


def _table(path: Path) -> dict[str, Any] | None:
    """What a file has for tracer; None where there is no such file, or nothing of ours in it."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        if path.name == SHARED:  # another program's
            return None
        raise ConfigurationError(f"cannot read {path}: {error.strerror or error}") from None
    if path.name == SHARED and not _TABLE.search(content):
        return None
    import tomllib

    try:
        if len(content) > LARGEST:
            raise ConfigurationError(f"{path} is too large")
        table = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not TOML: {' '.join(str(error).split())[:200]}") from None
    found = table["tool"]["tracer"] if path.name == SHARED else table
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path}: tool.tracer is no table")
    return found


def _variable(path: Path, name: str, value: Any) -> tuple[str, str]:
    """A key and its value as an environment variable. No message holds the value: it can be a secret."""
    key = KEYS.get(name.replace("_", "-"))
    if key is None:
        raise ConfigurationError(f"{path}: {_unknown(name)}")
    if key.is_switch:
        if not isinstance(value, bool):
            raise ConfigurationError(f"{path}: {name} has to be true or false")
        return key.variable, "1" if value else "0"
    if not isinstance(value, str) or "\0" in value:
        raise ConfigurationError(f"{path}: {name} has to be text in quotes")
    if key.variable == "TRACER_STORE" and "://" not in value and value not in ("", "none"):
        value = str(path.parent / Path(value).expanduser())
    return key.variable, value


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    shown = repr(name[:60])
    if _SECRET.search(name):
        return f"{shown} is a secret: put it into the environment or into .env, which are not committed"
    near = get_close_matches(name.replace("_", "-"), KEYS, 1, 0.5)
    return f"unknown key {shown}: " + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(KEYS)}")
