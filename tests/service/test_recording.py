from __future__ import annotations

import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.signed import EVENTS, TURN_PASSWORD, body, event, room
from tracer.errors import TracerError
from tracer.service.recording import Recorder

if TYPE_CHECKING:
    from pathlib import Path


def test_only_its_owner_can_read_a_recording_and_no_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    recorder = Recorder(path)
    with closing(recorder._file):
        recorder.webhook(body(EVENTS[0]), 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    with pytest.raises(TracerError, match="File exists"):
        Recorder(path)
    assert path.read_text() == before


def test_a_recording_holds_no_turn_password(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    recorder = Recorder(path)
    with closing(recorder._file):
        for sent in (EVENTS[0], event("agent_job_started", job={"id": "AJ_1", "room": room()})):
            assert TURN_PASSWORD in body(sent).decode()
            recorder.webhook(body(sent), 1)
    assert path.read_text().count("\n") == 2
    assert TURN_PASSWORD not in path.read_text()
