"""The border between tracer and the user's code: nothing that tracer raises crosses it."""

from __future__ import annotations

import logging
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
        log.warning("tracer is off: %s", error)
    except Exception:
        name = getattr(function, "__qualname__", function)
        log.warning("tracer: %s failed; the agent is not affected", name, exc_info=True)
    return None
