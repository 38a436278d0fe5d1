from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.moments import ABOUT_ADA, ROOM, _cut, _webhook
from tests.why.cases import CASES, in_room, lonely
from tracer import keys
from tracer.moment import Kind
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.why import CAUSES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.cli.test_cli import Tracer
    from tracer.moment import Moment

DELETED = next(case for case in CASES if case.cause == "room-deleted")
HEALTHY = "RM_healthy"


def kept(path: Path, *moments: Iterable[Moment]) -> Path:
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival(tuple(one)) for one in moments])
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return kept(tmp_path / "tracer.db", DELETED.moments)


@pytest.mark.parametrize("room", ["demo", ROOM])
def test_why_in_a_terminal(tracer: Tracer, store: Path, room: str) -> None:
    ran = tracer("why", room, "--store", store)
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0] == f"room demo  {ROOM}"
    assert lines[1] == "✗ Probably, an API call deleted the room while a caller was in it."
    assert lines[3].startswith("1. The room was deleted by an API call while ada was in it, and no agent")
    assert lines[-1].strip() == "room-deleted"
    assert "\x1b" not in ran.stdout


def test_why_as_json(tracer: Tracer, store: Path) -> None:
    ran = tracer("why", "demo", "--store", store, "--format", "json")
    assert (ran.returncode, ran.stderr) == (0, "")
    document = json.loads(ran.stdout)
    assert document["schema"] == "tracer.why/1"
    assert document["room"] == {"sid": ROOM, "name": "demo"}
    assert (document["well"], document["not_ruled_out"]) == (False, [])
    (cause,) = document["causes"]
    assert (cause["name"], cause["symptom"], cause["certain"]) == ("room-deleted", "disconnected", False)
    assert [step["kind"] for step in cause["evidence"]] == ["participant.left", "room.finished"]
    assert ran.stdout.isascii()


def test_that_nothing_is_wrong_is_no_failure(tracer: Tracer, tmp_path: Path) -> None:
    from tests.why.cases import healthy

    ran = tracer("why", "demo", "--store", kept(tmp_path / "well.db", healthy()))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[1] == "✓ All went well."


def test_the_room_before_is_looked_at(tracer: Tracer, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.label == "the room that the ghost made")
    assert case.earlier
    path = kept(tmp_path / "ghost.db", case.earlier, case.moments)
    document = json.loads(tracer("why", ROOM, "--store", path, "--format", "json").stdout)
    assert document["causes"][0]["name"] == "ghost-room"


@pytest.mark.parametrize("room", ["nobody", b"\xff", "\x1b[31mred"])
def test_an_unknown_room_is_one_line_and_exit_1(tracer: Tracer, store: Path, room: str | bytes) -> None:
    line = tracer.fails(1, "why", "--store", store, "--", room)
    assert "no room" in line
    assert "\x1b" not in line


def test_a_store_that_is_not_there_is_one_line_and_exit_1(tracer: Tracer) -> None:
    assert "no store at" in tracer.fails(1, "why", "demo", "--store", "none.db")
    assert list(tracer.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "ROOM"),
        (["demo", "more"], "more"),
        (["demo", "--format", "svg"], "svg"),
        (["demo", "--nothing-such"], "--nothing-such"),
    ],
)
def test_misuse_is_named_and_exits_with_2(tracer: Tracer, arguments: list[str], named: str) -> None:
    assert named in tracer.misused("why", *arguments)


def crowd(number: int) -> list[Moment]:
    """A room with so many callers, each deleted with it, and nobody for them."""
    moments = [m for m in lonely("helper") if m.subject != "PA_ada"]
    for n in range(number):
        about = {**ABOUT_ADA, keys.PARTICIPANT_IDENTITY: f"caller-{n}", keys.DISCONNECT_REASON: "ROOM_DELETED"}
        moments += [
            _cut(Kind.PARTICIPANT_JOINING, f"PA_{n}", n * 3, "webhook", about),
            _webhook(Kind.PARTICIPANT_ACTIVE, f"PA_{n}", n * 3 + 95, about),
            _webhook(Kind.PARTICIPANT_LEFT, f"PA_{n}", 12_000 + n, about),
        ]
    return moments


@pytest.mark.parametrize("form", ["json", "terminal"])
def test_a_room_of_1000_callers_is_explained(tracer: Tracer, tmp_path: Path, form: str) -> None:
    ran = tracer("why", "demo", "--store", kept(tmp_path / "crowd.db", crowd(1000)), "--format", form)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "caller-0" in ran.stdout
    if form == "json":
        causes = json.loads(ran.stdout)["causes"]
        assert [cause["name"] for cause in causes] == ["no-worker", "room-deleted"]
        assert len(causes[1]["evidence"]) == 1001
    else:
        assert len(ran.stdout.splitlines()) < 60


def test_another_room_of_that_name_is_explained_by_its_sid(tracer: Tracer, tmp_path: Path) -> None:
    path = kept(tmp_path / "two.db", DELETED.moments, in_room("RM_two", lonely("helper")))
    document = json.loads(tracer("why", "RM_two", "--store", path, "--format", "json").stdout)
    assert document["room"]["sid"] == "RM_two"
    assert document["causes"][0]["name"] in {cause.name for cause in CAUSES}
