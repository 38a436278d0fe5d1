"""A lock on a file between processes, which the kernel frees when its holder ends, however it ends."""

from __future__ import annotations

from typing import IO

__all__ = ["try_lock"]


def try_lock(file: IO[str]) -> bool:
    """Lock this open file; False when another process holds the lock.

    Windows has no such lock: there every process gets it, and the user starts only one.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
