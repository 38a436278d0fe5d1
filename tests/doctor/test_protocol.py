from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any

from tests.signed import SERVER
from tracer.doctor.diagnosis import CheckName, State
from tracer.doctor.protocol import MOST_NAMES, ProtocolCheck
from tracer.doctor.visit import Setup, Visit
from tracer.store import Arrival
from tracer.store.sqlite import SqliteReader, SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.doctor.diagnosis import Diagnosis


def told(path: Path, *arrivals: Arrival) -> list[Diagnosis]:
    """The findings where these came."""
    session: Any = None  # nothing is asked
    with closing(SqliteStore(path)) as store:
        store.add(arrivals)
    with closing(SqliteReader(path)) as reader:
        return asyncio.run(ProtocolCheck().examine(Visit(Setup(SERVER, "", str(path)), session, reader)))


def test_where_all_is_known_or_there_is_no_store_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert told(tmp_path / "t.db") == []
    session: Any = None
    assert asyncio.run(ProtocolCheck().examine(Visit(Setup(SERVER, "", ""), session))) == []


def test_what_is_not_known_is_named_with_how_often_it_came_and_what_to_do(tmp_path: Path) -> None:
    (found,) = told(tmp_path / "t.db", *[Arrival(unknown=("webhook agent_job_paused",))] * 3)
    assert (found.check, found.state) == (CheckName.PROTOCOL, State.WARNING)
    assert found.text.endswith("leave out: webhook agent_job_paused (3\N{MULTIPLICATION SIGN})")
    assert "upgrade" in found.fix


def test_of_many_the_latest_are_named(tmp_path: Path) -> None:
    many = [Arrival(unknown=(f"Room.field{number}",)) for number in range(MOST_NAMES + 5)]
    (found,) = told(tmp_path / "t.db", *many)
    assert found.text.endswith(" and 5 more")
    assert f"Room.field{MOST_NAMES + 4} " in found.text
    assert "Room.field0 " not in found.text
