"""The store of a full screen, read in a thread of its own, and opened again where it failed."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from tracer.errors import StoreError, UnreadableError
from tracer.store import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracer.store import Reader

__all__ = ["Reading"]

_T = TypeVar("_T")


class Reading:
    """A reader, and the one thread that uses it."""

    def __init__(self, store: str) -> None:
        """Raises StoreError when there is no such store."""
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._reader: Reader | None = None
        self.opened = 0
        """How often it was opened: what was read before is of another connection."""
        self._thread.submit(self._open).result()

    def _open(self) -> Reader:
        if self._reader is None:
            self._reader = open_reader(self._store)
            self.opened += 1
        return self._reader

    async def run(self, what: Callable[[Reader], _T]) -> _T:
        """What it returns. Raises StoreError, after which the next call opens the store again."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._with_reader, what)

    def _with_reader(self, what: Callable[[Reader], _T]) -> _T:
        reader = self._open()
        try:
            return what(reader)
        except UnreadableError:  # of one room
            raise
        except StoreError:
            self._close()
            raise

    def _close(self) -> None:
        if self._reader is not None:
            with suppress(StoreError):
                self._reader.close()
            self._reader = None

    def close(self) -> None:
        """Close it, when what is under way has ended."""
        self._thread.submit(self._close)
        self._thread.shutdown()
