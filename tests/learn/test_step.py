"""A step without its call: what is asked, and what is noted."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import click
import pytest

from tests.cli.conftest import tracer
from tests.moments import ROOM, call
from tracer.errors import BinaryMissingError
from tracer.learn import progress, step
from tracer.timeline.fold import fold

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.test_cli import Tracer
    from tracer.demo.run import DemoOptions
    from tracer.demo.scenario import Scenario
    from tracer.timeline.timeline import Timeline

__all__ = ["tracer"]  # a fixture


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The scenarios that would have been played; each is shown as if it had been."""
    names: list[str] = []

    def perform(
        scenario: Scenario,
        _: DemoOptions,
        shown: Callable[[Scenario, Timeline, Path], None],
        before: Callable[[], None],
    ) -> None:
        names.append(scenario.name)
        before()
        shown(scenario, fold(ROOM, call()), tmp_path / "d.db")

    monkeypatch.setattr(step, "perform", perform)
    monkeypatch.setattr(progress, "learnt_file", lambda: tmp_path / "state" / "learnt")
    return names


def test_an_order_that_is_wrong_is_asked_for_again(
    played: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    typed = iter(["room first", "1 1", "3 5 2 6 1 4"])
    monkeypatch.setattr(click, "prompt", lambda *_, **__: next(typed))
    step.take(1, None)
    out = capsys.readouterr().out
    assert "an order is the numbers 1 to 6" in out
    assert "1 is there twice" in out
    assert "All in the right order." in out
    assert played == ["automatic"]
    assert progress.done() == {1}


def test_enter_shows_it_and_without_a_terminal_nothing_is_asked(
    played: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(click, "prompt", lambda *_, **__: "")
    step.take(1, None)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    step.take(6, None)
    assert "your place" not in capsys.readouterr().out
    assert played == ["automatic", "wrong-name"]


def test_a_state_folder_that_cannot_be_written_is_no_matter(
    played: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(progress, "learnt_file", lambda: tmp_path / "file" / "learnt")
    step.take(1, "123456")
    assert played
    assert progress.done() == set()


@pytest.mark.parametrize("held", [b"", b"1\n1\n2\n", b"\xff\xfe", b"a 2 -3 \xc2\xb2", b"1 " * 100_000])
def test_whatever_is_in_that_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, held: bytes) -> None:
    file = tmp_path / "learnt"
    file.write_bytes(held)
    monkeypatch.setattr(progress, "learnt_file", lambda: file)
    assert progress.done() <= {1, 2}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["7"], "there is no step 7: `tracer learn` lists the 6"),
        (["0"], "there is no step 0: `tracer learn` lists the 6"),
        (["1", "--answer", "7"], "there is no 7: an order has the numbers 1 to 6"),
        (["1", "--answer", ""], "an order is the numbers 1 to 6 as they happen: 2,1,3"),
        (["--answer", "1"], "--answer needs the step that it answers: tracer learn 1 --answer 2,1,3"),
    ],
)
def test_misuse_is_one_line_before_anything_is_started(tracer: Tracer, arguments: list[str], why: str) -> None:
    assert tracer.fails(2, "learn", *arguments) == f"tracer: {why}"


def test_without_a_step_they_are_listed(tracer: Tracer) -> None:
    ran = tracer("learn")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "learn 1" in ran.stdout.splitlines()[-1]


def test_the_order_is_asked_for_when_everything_has_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What takes long starts while the question is read; and nobody answers for a call that cannot be made."""

    def perform(*_: object) -> None:
        assert "In which order" in capsys.readouterr().out
        raise BinaryMissingError("no livekit-server")

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(click, "prompt", lambda *_, **__: pytest.fail("asked"))
    monkeypatch.setattr(step, "perform", perform)
    with pytest.raises(BinaryMissingError):
        step.take(2, None)
