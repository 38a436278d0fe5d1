"""examples/github-workflow.yml, as actionlint judges it: GitHub says what is wrong with one only when it runs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.conftest import had
from tracer.local_servers.build import build_with_go

if TYPE_CHECKING:
    from collections.abc import Callable

WORKFLOW = Path(__file__).parents[2] / "examples" / "github-workflow.yml"
VERSION = "v1.7.12"


@pytest.fixture(scope="module")
def actionlint(progress: Callable[[str], None]) -> Path:
    def build(report: Callable[[str], None]) -> Path:
        source = f"github.com/rhysd/actionlint@{VERSION}"
        return build_with_go(f"actionlint-{VERSION}", "./cmd/actionlint", source=source, progress=report)

    return had(build, progress)


def lint(actionlint: Path, text: str) -> subprocess.CompletedProcess[str]:
    command = [str(actionlint), "-shellcheck=", "-pyflakes=", "-no-color", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)


def test_the_workflow_is_one(actionlint: Path) -> None:
    ran = lint(actionlint, WORKFLOW.read_text(encoding="utf-8"))
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("there", "instead"), [("runs-on:", "run-on:"), ("if: failure()", "if: failed()"), ("@v4", "")], ids=str
)
def test_what_is_wrong_with_one_would_be_found(actionlint: Path, there: str, instead: str) -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    assert there in text
    assert lint(actionlint, text.replace(there, instead)).returncode == 1
