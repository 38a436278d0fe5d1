from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_cli import store
from tests.latency.test_gaps import without
from tests.moments import ADA, ROOM, call
from tracer.latency.summary import VERSION, summarize
from tracer.moment import Kind
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.timeline.fold import fold

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.test_cli import Tracer
    from tracer.moment import Moment

__all__ = ["store"]


def keep(path: Path, room: str, moments: list[Moment]) -> None:
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival(tuple(replace(m, room=room, subject=m.subject.replace(ROOM, room)) for m in moments))])


def figures(tracer: Tracer, *arguments: str | Path) -> dict[str, object]:
    ran = tracer("stats", *arguments, "--format", "json")
    assert (ran.returncode, ran.stderr) == (0, "")
    told: dict[str, object] = json.loads(ran.stdout)
    return told


def test_figures_of_the_rooms_in_a_store(tracer: Tracer, store: Path) -> None:
    keep(store, "RM_2", call())
    keep(store, "RM_open", without(Kind.ROOM_FINISHED))
    told = figures(tracer, "--store", store)
    assert (told["rooms"], told["rooms_over"]) == (3, 2)
    assert told["counted"] == {"measured": 2, "open": 1}
    ran = tracer("stats", "--store", store)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("3 rooms: 2 measured, 1 not over\n")
    assert "392 ms" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_figures_are_the_same_whether_summaries_were_kept_or_not(tracer: Tracer, store: Path) -> None:
    keep(store, "RM_2", call())
    before = figures(tracer, "--store", store)
    with closing(SqliteStore(store)) as opened:
        for room in (ROOM, "RM_2"):
            summary = summarize(fold(ROOM, call())).to_json()
            opened.summarized([(room, opened.changed(room), summary)], VERSION)
    assert figures(tracer, "--store", store) == before


def test_kept_summaries_are_used_and_the_moments_not_read(tracer: Tracer, store: Path) -> None:
    with closing(SqliteStore(store)) as opened:
        opened.summarized([(ROOM, opened.changed(ROOM), summarize(fold(ROOM, call())).to_json())], VERSION)
    with closing(sqlite3.connect(store)) as db:
        db.execute("DELETE FROM moment")
        db.commit()
    assert figures(tracer, "--store", store)["counted"] == {"measured": 1}


def test_a_damaged_room_is_counted_and_the_others_are_as_well(
    tracer: Tracer, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keep(store, "RM_2", call())
    with closing(sqlite3.connect(store)) as db:
        db.execute("UPDATE moment SET kind = 'nothing.such' WHERE room = 'RM_2' AND subject = ?", (ADA,))
        db.commit()
    ran = tracer("stats", "--store", store, "--format", "json")
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["counted"] == {"measured": 1, "unreadable": 1}
    [line] = caplog.messages
    assert "cannot summarize room RM_2" in line


def test_only_the_newest_rooms_and_only_those_of_some_hours(tracer: Tracer, store: Path) -> None:
    keep(store, "RM_2", call())
    assert figures(tracer, "--store", store, "-n", "1")["rooms"] == 1
    assert figures(tracer, "--store", store, "--hours", "0.5")["rooms"] == 0
    assert figures(tracer, "--store", store, "--hours", "1000000")["rooms"] == 2


def test_only_one_agent(tracer: Tracer, store: Path) -> None:
    for name, jobs in (("", [1]), ("ghost", [0]), ("nobody", [])):
        agents = figures(tracer, "--store", store, "--agent", name)["agents"]
        assert isinstance(agents, list)
        assert [agent["jobs"] for agent in agents] == jobs


def test_an_empty_store_has_no_rooms(tracer: Tracer, tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    SqliteStore(path).close()
    assert (
        tracer("stats", "--store", path).stdout
        == "0 rooms\nno room was recorded: make a call while `tracer serve` is running\n"
    )
    assert figures(tracer, "--store", path)["agents"] == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-n", "0"], "0"),
        (["--hours", "0"], "0"),
        (["--hours", "nan"], "nan"),
        (["--hours", "inf"], "inf"),
        (["--hours", "-1"], "-1"),
        (["--format", "xml"], "xml"),
        (["room"], "room"),
    ],
)
def test_misuse_is_named(tracer: Tracer, arguments: list[str], named: str) -> None:
    assert named in tracer.misused("stats", *arguments)


def test_a_store_that_is_not_there(tracer: Tracer) -> None:
    assert "no store at" in tracer.fails(1, "stats")
