"""Which rooms are found, in whichever store they are."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.assistant.asking import ask, recorded, said, told
from tests.moments import ROOM, call
from tests.postgresql import Postgres
from tracer.assistant.outside import Outside
from tracer.assistant.pseudonyms import Pseudonyms
from tracer.assistant.reading import Rooms, Source
from tracer.service.replay import replay
from tracer.store import Arrival, open_writer
from tracer.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS = Path(__file__).parents[1] / "calls"
PSEUDONYMS = Pseudonyms(b"k" * 32)


@pytest.fixture
def source(path: Path) -> Source:
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(call()))])
    return Source(str(path))


@pytest.mark.parametrize("room", ["", ROOM, "demo", ROOM[:6], PSEUDONYMS.room("demo")])
def test_a_room_is_found_by_its_sid_its_name_its_pseudonym_or_a_beginning(source: Source, room: str) -> None:
    _, content = said(ask(Rooms((source,), Outside(PSEUDONYMS)), "why", room=room))
    assert (content["room"], content["name"]) == (ROOM, PSEUDONYMS.room("demo"))
    if not room.startswith("room-"):
        _, content = said(ask(Rooms((source,), Outside(None)), "why", room=room))
        assert content["name"] == "«demo»"


@pytest.mark.parametrize("room", ["RM", "de", "RM_other", "%"])
def test_of_an_unknown_room_no_name_is_offered(source: Source, room: str) -> None:
    result = ask(Rooms((source,), Outside(PSEUDONYMS)), "why", room=room)
    text, _ = told(result)
    assert result.is_error
    assert f"There is no room «{room}»" in text
    assert "demo" not in text


def test_in_an_empty_store_there_is_no_latest_room(path: Path) -> None:
    SqliteStore(path).close()
    result = ask(Rooms((Source(str(path)),), Outside(None)), "why")
    assert result.is_error
    assert "No rooms yet" in told(result)[0]


def test_a_store_that_is_none_is_said(path: Path) -> None:
    path.write_text("something else")
    result = ask(Rooms((Source(str(path)),), Outside(None)), "rooms")
    assert result.is_error
    assert "t" in told(result)[0]


def test_two_rooms_are_compared() -> None:
    with recorded(*(CALLS / f"{name}.jsonl.gz" for name in ("ok_switch", "s09_connect_retry"))) as rooms:
        _, listed = said(ask(rooms, "rooms"))
        first, second = (one["room"] for one in listed["rooms"])
        _, content = said(ask(rooms, "compare", room=first, other=second))
        assert (content["a"], content["b"]) == (first, second)
        assert content["gaps"]
        text, content = said(ask(rooms, "compare", room=first))
        assert (content["b"], content["b_jobs"]) == (None, 2)
        assert "B: the latest 2 rooms (2 jobs measured)" in text


def test_a_group_is_listed_where_a_column_has_nearly_its_name() -> None:
    rooms = Rooms((), Outside(None))
    text, content = said(ask(rooms, "explain", word="causes"))
    assert (content["group"], content["words"][0], content["more"]) == ("cause", "no-worker", True), text
    assert said(ask(rooms, "explain", word="cause"))[1]["group"] == "column"


@pytest.mark.slow
@pytest.mark.xdist_group("postgresql")
def test_a_database_answers_as_a_file_does(tmp_path: Path) -> None:
    recording = CALLS / "turn_raised.jsonl.gz"

    def answers(location: str) -> Iterator[str]:
        with closing(open_writer(location)) as store:
            replay([recording], store)
        rooms = Rooms((Source(location),), Outside(PSEUDONYMS))
        for tool in ("rooms", "why", "timeline", "check", "compare"):
            yield str(said(ask(rooms, tool)))

    with Postgres() as database:
        assert list(answers(database.location)) == list(answers(str(tmp_path / "t.db")))
