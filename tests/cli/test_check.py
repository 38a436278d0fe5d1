from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import pytest

from tests.moments import ABOUT_ROOM, ROOM, call, moment, ms
from tests.view.test_check import wrong_call
from tracer import keys
from tracer.check import check
from tracer.moment import Kind
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.timeline.fold import fold
from tracer.view.check_json import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.test_cli import Tracer


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a room in order."""
    path = tmp_path / "tracer.db"
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival(tuple(call()))])
    return path


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A store with a room out of order."""
    path = tmp_path / "wrong.db"
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival(tuple(wrong_call()))])
    return path


def test_a_room_in_order_is_exit_0(tracer: Tracer, store: Path) -> None:
    ran = tracer("check", "demo", "--store", store)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[1].startswith("✓ all 10 rules pass")
    assert "\x1b" not in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_a_room_out_of_order_is_exit_1(tracer: Tracer, wrong: Path) -> None:
    ran = tracer("check", "demo", "--store", wrong)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "✗" in ran.stdout
    assert tracer("check", "demo", "--store", wrong, "--format", "json").returncode == 1
    assert tracer("check", "demo", "--store", wrong, "--format", "junit", "-o", "out.xml").returncode == 1
    suite = fromstring((tracer.folder / "out.xml").read_text()).find("testsuite")  # noqa: S314  our own
    assert suite is not None
    assert suite.get("failures") != "0"


def test_several_rooms_are_several_blocks(tracer: Tracer, store: Path) -> None:
    with closing(SqliteStore(store)) as opened:
        other = {**ABOUT_ROOM, keys.ROOM_NAME: "other"}
        opened.add([Arrival((moment(Kind.ROOM_CREATED, "RM_2", ms(0), room="RM_2", told=other),))])
    ran = tracer("check", "demo", "other", "--store", store)
    assert ran.returncode == 1, "of the other nothing is known: it does not pass"
    assert tracer("check", "demo", "--store", store).returncode == 0, "an inconclusive detail is no failure"
    assert [line for line in ran.stdout.splitlines() if line.startswith("room")] == [
        f"room demo  {ROOM}",
        "room other  RM_2",
    ]
    told_rooms = json.loads(tracer("check", "demo", "RM_2", "--store", store, "--format", "json").stdout)["rooms"]
    assert [(room["name"], room["answer"]) for room in told_rooms] == [("demo", "holds"), ("other", "inconclusive")]


def test_the_check_as_json(tracer: Tracer, store: Path) -> None:
    ran = tracer("check", ROOM, "--store", store, "--format", "json")
    assert json.loads(ran.stdout) == json.loads(json.dumps(as_json([check(fold(ROOM, call()))])))
    assert ran.stdout.isascii()


def test_misuse_is_exit_2(tracer: Tracer, store: Path) -> None:
    assert "ROOM" in tracer.misused("check", "--store", store)
    assert "--format" in tracer.misused("check", "demo", "--store", store, "--format", "yaml")
    assert "--width" in tracer.misused("check", "demo", "--store", store, "--width", "12")


@pytest.mark.parametrize("room", ["nobody", b"\xff", "\x1b[31mred"])
def test_an_unknown_room_is_one_line_and_exit_1(tracer: Tracer, store: Path, room: str | bytes) -> None:
    line = tracer.fails(1, "check", "--store", store, "--", room)
    assert "no room" in line
    assert "\x1b" not in line


def test_an_unknown_room_does_not_hide_what_is_known_of_another(tracer: Tracer, store: Path) -> None:
    ran = tracer("check", "--store", store, "nobody", "demo", "nowhere")
    assert ran.returncode == 1
    assert ran.stdout.startswith(f"room demo  {ROOM}")
    assert [line.partition("no room")[2][:8] for line in ran.stderr.splitlines()] == [" 'nobody", " 'nowher"]


def test_no_store_and_a_file_that_cannot_be_written_are_one_line_and_exit_1(tracer: Tracer, store: Path) -> None:
    assert "no store at" in tracer.fails(1, "check", "demo")
    line = tracer.fails(1, "check", "demo", "--store", store, "-o", "no/such/folder.txt")
    assert "cannot write no/such/folder.txt" in line


def test_the_terminals_picture_goes_to_a_file_too(tracer: Tracer, store: Path) -> None:
    ran = tracer("check", "demo", "--store", store, "-o", "out.txt", "--width", "60")
    assert (ran.returncode, ran.stdout) == (0, "")
    lines = (tracer.folder / "out.txt").read_text().splitlines()
    assert lines[0] == f"room demo  {ROOM}"
    assert max(map(len, lines)) <= 60


def test_the_help_has_an_example(tracer: Tracer) -> None:
    text = tracer("check", "--help").stdout
    assert "tracer check my-room" in text
    assert "junit" in text
    assert "Exits 0 when" in text
