"""What each command shows of fixed calls, to the last character: `make golden` writes the files of this folder anew."""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tests.cli.test_cli import Tracer
from tests.moments import call
from tests.why.cases import CASES, in_room
from tracer import keys
from tracer.doctor.diagnosis import CheckName, Diagnosis, State
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.units import NS_PER_S
from tracer.view.doctor import DiagnosisView

if TYPE_CHECKING:
    from tracer.moment import Moment

LATER = 600 * NS_PER_S
"""The failed call is ten minutes after the other."""


def failed_call() -> list[Moment]:
    """A call whose session was closed while its job went on, in a room of its own."""
    case = next(case for case in CASES if case.cause == "session-closed")
    return [
        replace(
            m,
            earliest=m.earliest + LATER,
            latest=m.latest + LATER,
            time=m.time + LATER,
            facts=tuple((key, "failed" if key == keys.ROOM_NAME else fact) for key, fact in m.facts),
        )
        for m in in_room("RM_failed", case.moments)
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("golden") / "tracer.db"
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival(tuple(call())), Arrival(tuple(failed_call()))])
    return path


@pytest.fixture
def tracer(tmp_path: Path) -> Tracer:
    return Tracer(tmp_path)


def hold(name: str, shown: str, *, update: bool) -> None:
    """It is what the file of this name holds, or becomes it."""
    path = Path(__file__).with_name(name)
    if update:
        path.write_text(shown, encoding="utf-8")
    assert path.exists(), f"there is no {path.name}: --update-golden writes it"
    assert shown == path.read_text(encoding="utf-8"), f"{path.name} differs; is the change meant? --update-golden"


PICTURES = {
    "timeline-demo-80.txt": (80, ["timeline", "demo"]),
    "timeline-demo-120.txt": (120, ["timeline", "demo"]),
    "timeline-demo-200.txt": (200, ["timeline", "demo"]),
    "timeline-failed-80.txt": (80, ["timeline", "failed"]),
    "timeline-failed-120.txt": (120, ["timeline", "failed"]),
    "timeline-summary-80.txt": (80, ["timeline", "failed", "--summary"]),
    "timeline-all-120.txt": (120, ["timeline", "demo", "--all"]),
    "timeline-demo.json": (80, ["timeline", "demo", "--format", "json"]),
    "timeline-failed.svg": (80, ["timeline", "failed", "--format", "svg"]),
    "timeline-demo.mmd": (80, ["timeline", "demo", "--format", "mermaid"]),
    "timeline-demo.csv": (80, ["timeline", "demo", "--format", "csv"]),
    "rooms-80.txt": (80, ["rooms"]),
    "rooms.json": (80, ["rooms", "--format", "json"]),
    "why-demo-80.txt": (80, ["why", "demo"]),
    "why-failed-80.txt": (80, ["why", "failed"]),
    "why-failed.json": (80, ["why", "failed", "--format", "json"]),
    "check-demo-80.txt": (80, ["check", "demo"]),
    "check-all-120.txt": (120, ["check", "demo", "failed", "--all"]),
    "check-failed.json": (80, ["check", "failed", "--format", "json"]),
    "check-demo.xml": (80, ["check", "demo", "--format", "junit"]),
    "stats-80.txt": (80, ["stats"]),
    "stats-120.txt": (120, ["stats"]),
    "stats.json": (80, ["stats", "--format", "json"]),
    "compare-80.txt": (80, ["compare", "demo", "failed"]),
    "compare-stats-120.txt": (120, ["compare", "demo", "--with", "stats"]),
    "compare.json": (80, ["compare", "demo", "failed", "--format", "json"]),
}
"""Each file, how wide the terminal is, and the command."""


@pytest.mark.parametrize("name", PICTURES)
def test_a_command_shows_what_it_showed(name: str, tracer: Tracer, store: Path, request: pytest.FixtureRequest) -> None:
    width, arguments = PICTURES[name]
    ran = tracer(*arguments, "--store", store, COLUMNS=str(width))
    assert ran.stderr == ""
    hold(name, ran.stdout, update=request.config.getoption("--update-golden"))


DIAGNOSES = (
    Diagnosis(CheckName.SERVER, State.OK, "LiveKit answers in 3.1 ms"),
    Diagnosis(CheckName.RECEIVER, State.FAILED, "nothing answers at http://127.0.0.1:7890", "start `tracer serve`"),
    Diagnosis(CheckName.WEBHOOKS, State.SKIPPED, "without a receiver nobody sees them arrive"),
    Diagnosis(CheckName.WORKERS, State.WARNING, "no worker answers for the unnamed agent", "start one"),
)


@pytest.mark.parametrize("width", [80, 120])
def test_the_doctor_shows_what_it_showed(width: int, request: pytest.FixtureRequest) -> None:
    """Of findings made up: what it finds is in its own tests."""
    out = Console(file=io.StringIO(), width=width, color_system=None, highlight=False, markup=False, emoji=False)
    out.print(DiagnosisView(DIAGNOSES))
    assert isinstance(out.file, io.StringIO)
    hold(f"doctor-{width}.txt", out.file.getvalue(), update=request.config.getoption("--update-golden"))
