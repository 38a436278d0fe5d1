from __future__ import annotations

import io
import os
import signal
from typing import TYPE_CHECKING

from rich.console import Console

from tracer.watch import screen

if TYPE_CHECKING:
    import pytest


class Busy(io.StringIO):
    """A terminal that is being written to: as a buffered file does, it refuses whoever writes meanwhile."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self.fd = fd

    def fileno(self) -> int:
        return self.fd

    def write(self, _: str) -> int:
        raise RuntimeError("reentrant call")


def test_ctrl_z_while_something_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, terminal = os.pipe()
    stopped: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _, number: stopped.append(number))
    out = Console(file=Busy(terminal), force_terminal=True)
    with screen._suspended(out, lambda _: None):
        signal.raise_signal(signal.SIGTSTP)
    os.close(terminal)
    assert os.read(shown, 1000) == b"\x1b[?1049l\x1b[?25h\x1b[?1049h\x1b[H\x1b[?25l"
    os.close(shown)
    assert stopped == [signal.SIGTSTP]
