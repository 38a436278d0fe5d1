from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tracer.errors import DemoError
from tracer.local_servers import Process, child_environment

if TYPE_CHECKING:
    from pathlib import Path


def test_windows_is_told_that_no_server_can_be_started_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "killpg")
    process = Process("livekit-server", [sys.executable], folder=tmp_path, environment=child_environment())
    with pytest.raises(DemoError, match="cannot start livekit-server: tracer starts servers on Linux and macOS only"):
        process.start()
    assert process.pid is None
