"""What still runs where another module of the name `tracer` is in the way."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

import livekit_tracer
from livekit_tracer import in_the_way
from tracer.doctor.diagnosis import State
from tracer.doctor.module_name import ModuleNameCheck
from tracer.doctor.module_name import in_the_way as here
from tracer.local_servers import child_environment

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit

AUTO = Path(sys.executable).parent / "opentelemetry-instrument"
QUIET = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
THEIRS = "def trace(): ...\n"


@pytest.fixture(params=["tracer.py", "tracer/__init__.py"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """With a module of the user's."""
    path = tmp_path / str(request.param)
    path.parent.mkdir(exist_ok=True)
    path.write_text(THEIRS)
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = child_environment(PYTHONPATH=str(folder), **QUIET)
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_nothing_is_in_the_way_here() -> None:
    assert in_the_way() == ""
    assert here(Path(livekit_tracer.__file__).parents[1]) is None


def test_a_checkout_that_was_installed_from_is_not_in_the_way(tmp_path: Path) -> None:
    ours = Path(livekit_tracer.__file__).parents[1] / "tracer" / "__init__.py"
    (tmp_path / "tracer").mkdir()
    shutil.copy(ours, tmp_path / "tracer")
    assert here(tmp_path) is None


def test_the_doctor_names_it_before_a_program_meets_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(here(folder)).startswith(str(folder / "tracer"))
    monkeypatch.chdir(folder)
    (found,) = asyncio.run(ModuleNameCheck().examine(cast("Visit", None)))
    assert (found.state, str(folder / "tracer") in found.text) == (State.FAILED, True)


def test_the_command_says_what_is_in_the_way(folder: Path) -> None:
    done = run(folder, "-c", "import sys, livekit_tracer; sys.exit(livekit_tracer.main())")
    assert done.returncode == 2
    assert done.stderr.startswith(f"tracer: {folder / 'tracer'}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_program_under_opentelemetry_goes_on(folder: Path) -> None:
    done = run(folder, str(AUTO), sys.executable, "-c", "import tracer; print(tracer.trace)")
    assert done.returncode == 0
    assert done.stdout.startswith("<function trace")
    assert "tracer is off" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_pytest_goes_on(folder: Path) -> None:
    (folder / "test_theirs.py").write_text("import tracer\n\ndef test_it():\n    assert tracer.trace\n")
    done = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fixture livekit_tracer is off" in done.stdout + done.stderr  # where, is for pytest's version to say


def test_another_distribution_that_was_installed_over_it_is_named(tmp_path: Path) -> None:
    shutil.copytree(Path(livekit_tracer.__file__).parent, tmp_path / "livekit_tracer")
    (tmp_path / "tracer").mkdir()
    (tmp_path / "tracer" / "__init__.py").write_text(THEIRS)
    done = run(tmp_path, "-c", "import livekit_tracer; print(livekit_tracer.in_the_way())")
    assert "another distribution called tracer is installed over livekit-tracer" in done.stdout


def test_what_is_left_when_that_one_was_uninstalled_says_what_to_do(tmp_path: Path) -> None:
    shutil.copytree(Path(livekit_tracer.__file__).parent, tmp_path / "livekit_tracer")
    (tmp_path / "tracer" / "cli").mkdir(parents=True)  # the other one's uninstallation takes what it had installed over
    # Without the packages that are installed for the tests, of which a whole `tracer` is one.
    done = run(tmp_path, "-S", "-c", "import sys, livekit_tracer; sys.exit(livekit_tracer.main())")
    assert done.returncode == 2
    assert done.stderr.startswith("tracer: livekit-tracer's module `tracer` is missing from")
    assert done.stderr.endswith("install livekit-tracer again\n")
