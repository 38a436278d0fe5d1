"""dashboards/grafana.json, as the types judge it that Grafana publishes of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.conftest import had
from tracer.local_servers.build import build_with_go

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
BOARD = ROOT / "dashboards" / "grafana.json"
PROGRAM = ROOT / "tests" / "prometheus" / "grafana"


@pytest.fixture(scope="module")
def judge(progress: Callable[[str], None]) -> Path:
    (version,) = [
        line.split()[-1] for line in (PROGRAM / "go.mod").read_text().splitlines() if "foundation-sdk" in line
    ]
    return had(lambda report: build_with_go(f"grafana-types-{version}", ".", source=PROGRAM, progress=report), progress)


def judged(judge: Path, board: Path) -> str:
    """What is wrong with it; empty where nothing is."""
    return subprocess.run([judge, board], capture_output=True, text=True, check=False, timeout=60).stdout.strip()


def test_the_dashboard_is_one_of_grafanas(judge: Path) -> None:
    assert judged(judge, BOARD) == ""


def test_a_field_that_grafana_does_not_know_would_be_found(judge: Path, tmp_path: Path) -> None:
    board: dict[str, Any] = json.loads(BOARD.read_text(encoding="utf-8"))
    board["panels"][0]["gridPosition"] = board["panels"][0].pop("gridPos")
    (tmp_path / "board.json").write_text(json.dumps(board), encoding="utf-8")
    assert "gridPosition" in judged(judge, tmp_path / "board.json")
