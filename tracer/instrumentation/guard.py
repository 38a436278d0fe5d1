"""The border between tracer and the user's code: nothing that tracer raises crosses it."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from tracer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["guarded"]

log = logging.getLogger("tracer")
T = TypeVar("T")


def guarded(function: Callable[..., T], *args: object, **kwargs: object) -> T | None:
    """Call it; None when it raises, which is a warning in the log and no more."""
    try:
        return function(*args, **kwargs)
    except ConfigurationError as error:
        _warn("tracer is off: %s", error)
    except Exception:  # noqa: BLE001  that is what it is for
        name = getattr(function, "__qualname__", type(function).__qualname__)
        _warn("tracer: %s failed; the agent is not affected", name, with_traceback=True)
    return None


def _warn(message: str, about: object, *, with_traceback: bool = False) -> None:
    with suppress(Exception):  # a handler of the user's may raise
        log.warning(message, about, exc_info=with_traceback)
