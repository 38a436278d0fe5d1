"""What a service does beside its requests: tasks that run until they are cancelled, and never end unnoticed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

__all__ = ["in_background"]

log = logging.getLogger("tracer")


def in_background(work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
    """A task that does this; when it fails, what is no longer done is an error in the log."""
    task = asyncio.create_task(work, name=what)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("no longer able to %s: restart the service", task.get_name(), exc_info=error)
