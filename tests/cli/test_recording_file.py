"""ROOM as the file of a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.test_cli import Tracer

SEVERAL = Path(__file__).parent.parent / "calls" / "case_away_bare.jsonl.gz"


@pytest.mark.parametrize("name", ["why", "check"])
def test_every_room_of_a_recording_is_explained_and_checked(tracer: Tracer, name: str) -> None:
    assert tracer(name, SEVERAL).stdout.count("room case-away-bare") == 2


def test_one_room_of_a_recording_is_the_latest_which_is_said(tracer: Tracer) -> None:
    explained = tracer("why", SEVERAL, "--format", "json")
    assert json.loads(explained.stdout)["well"] is True
    shown = tracer("timeline", SEVERAL)
    assert shown.returncode == 0
    assert all("has 2 rooms: this is the latest" in ran.stderr for ran in (explained, shown))


@pytest.mark.parametrize("name", ["why", "timeline", "check"])
def test_a_file_that_is_no_recording_is_one_line(tracer: Tracer, name: str, tmp_path: Path) -> None:
    file = tmp_path / "not.jsonl"
    file.write_text("hello\n")
    ran = tracer(name, file)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert ran.stderr.startswith("tracer: ")
