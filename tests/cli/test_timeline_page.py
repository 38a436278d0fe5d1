"""`tracer timeline --format html`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.test_cli import Tracer

CALL = Path(__file__).parents[1] / "calls" / "case_agent_cut.jsonl.gz"


def test_a_room_is_one_file_to_keep_and_to_send(tracer: Tracer, tmp_path: Path) -> None:
    file = tmp_path / "call.html"
    ran = tracer("timeline", str(CALL), "--format", "html", "-o", str(file))
    assert (ran.returncode, ran.stderr) == (0, "")
    text = file.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "agent-lost-connection" in text
    assert len(text) < 500_000
