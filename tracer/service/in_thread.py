"""Work that a task of the service does beside the event loop, with the store that is closed when the service stops."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tracer.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["InThread"]

log = logging.getLogger("tracer")


class InThread:
    """Runs one piece of work after the other; ``what`` it does is for the log."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.stopped = False
        """Whether it was cancelled: the work should end soon."""
        self._failed = ""
        """Why the store failed last time, so that it is said once."""

    async def run(self, work: Callable[[], int]) -> int:
        """What the work returns; 0 when it fails, which is logged. When cancelled, it waits until the work ends."""
        working = asyncio.create_task(asyncio.to_thread(work))
        try:
            done = await asyncio.shield(working)
        except asyncio.CancelledError:
            self.stopped = True
            await asyncio.gather(working, return_exceptions=True)
            raise
        except StoreError as error:
            if str(error) != self._failed:
                log.error("cannot %s: %s", self.what, error)
            self._failed = str(error)
            return 0
        except Exception:
            log.exception("cannot %s", self.what)
            return 0
        self._failed = ""
        return done
