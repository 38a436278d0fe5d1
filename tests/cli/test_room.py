"""What a command's ROOM can be."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import call
from tracer import keys
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.test_cli import Tracer
    from tracer.moment import Moment

ROOMS = {
    "RM_first1": "support-1",
    "RM_later1": "support-1",
    "RM_second": "support-2",
    "RM_lonely": "kitchen",
    "RM_doctor": "tracer-doctor-1",
    "RM_demo01": "tracer-demo-1",
}


def renamed(sid: str, name: str, later: int) -> list[Moment]:
    return [
        replace(
            m,
            room=sid,
            subject=sid if m.subject == m.room else m.subject,
            earliest=m.earliest + later,
            latest=m.latest + later,
            time=m.time + later,
            facts=tuple((key, name if key == keys.ROOM_NAME else fact) for key, fact in m.facts),
        )
        for m in call()
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rooms") / "tracer.db"
    with closing(SqliteStore(path)) as opened:
        for number, (sid, name) in enumerate(ROOMS.items()):
            opened.add([Arrival(tuple(renamed(sid, name, number * 600 * NS_PER_S)))])
    return path


@pytest.mark.parametrize(
    ("room", "sid"),
    [
        ("kitchen", "RM_lonely"),
        ("kit", "RM_lonely"),
        ("RM_l", None),
        ("RM_lo", "RM_lonely"),
        ("support-1", "RM_later1"),
        ("RM_first1", "RM_first1"),
    ],
)
def test_the_beginning_of_a_name_or_sid_is_enough_where_it_fits_one(
    tracer: Tracer, store: Path, room: str, sid: str | None
) -> None:
    if sid is None:
        line = tracer.fails(1, "timeline", room, "--store", store)
        assert "2 begin like this: 'RM_later1', 'RM_lonely'" in line
    else:
        assert f"  {sid}" in tracer("timeline", room, "--store", store).stdout


@pytest.mark.parametrize("command", [["timeline"], ["why"], ["check"], ["compare", "kitchen"]])
def test_each_command_that_takes_a_room_takes_its_beginning(tracer: Tracer, store: Path, command: list[str]) -> None:
    assert tracer(*command, "RM_lon", "--store", store).stderr == ""
    for near in ("kithcen", "KITCHEN"):
        assert "did you mean 'kitchen'?" in tracer.fails(1, *command, near, "--store", store)


def test_in_a_pipe_no_name_is_cut(tracer: Tracer, tmp_path: Path) -> None:
    name, path = "a-room-whose-name-is-longer-than-a-column-of-the-list", tmp_path / "long.db"
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(renamed("RM_long", name, 0)))])
    assert name in tracer("rooms", "--store", path).stdout
    assert name not in tracer("rooms", "--store", path, "--width", "100").stdout
    tracer("rooms", "--store", path, "-o", tmp_path / "rooms.txt")
    assert name in (tmp_path / "rooms.txt").read_text()


def test_of_a_beginning_that_fits_several_none_is_taken(tracer: Tracer, store: Path) -> None:
    line = tracer.fails(1, "timeline", "support", "--store", store)
    assert "2 begin like this: 'support-1', 'support-2'" in line


def test_what_is_no_call_of_the_users_is_listed_when_asked_for(tracer: Tracer, store: Path) -> None:
    few = tracer("rooms", "--store", store).stdout
    assert "2 rooms of tracer doctor and tracer demo not listed: --all" in few
    assert [sid for sid in ROOMS if sid not in few] == ["RM_doctor", "RM_demo01"]
    every = tracer("rooms", "--all", "--store", store).stdout
    assert [sid for sid in ROOMS if sid not in every] == []
    assert "not listed" not in every


def test_what_is_hidden_takes_no_place_in_the_list(tracer: Tracer, store: Path) -> None:
    listed = tracer("rooms", "-n", "1", "--store", store).stdout
    assert "RM_lonely" in listed
    assert "2 rooms of" in listed
