"""What aiohttp logs of requests that are no HTTP: anybody can send them, and each would be a traceback in the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger

if TYPE_CHECKING:
    from tracer.service.seldom import Seldom

__all__ = ["ServerLog"]

LONGEST = 200
"""Characters of what is wrong, which can quote the request."""


class ServerLog(logging.LoggerAdapter[logging.Logger]):
    """aiohttp's log, with a line now and then for such requests."""

    def __init__(self, refusals: Seldom) -> None:
        super().__init__(server_logger)
        self._refusals = refusals

    def exception(self, msg: object, *args: object, exc_info: Any = True, **kwargs: Any) -> None:
        """As a logger's."""
        if isinstance(exc_info, HttpProcessingError):
            why = exc_info.message.partition("\n")[0].rstrip(":")
            self._refusals.warn(f"request refused: {why[:LONGEST]}")
        else:
            super().exception(msg, *args, exc_info=exc_info, **kwargs)
