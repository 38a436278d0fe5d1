from __future__ import annotations

import asyncio
import logging
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.latency.test_gaps import without
from tests.moments import ADA, AGENT, JOB, ROOM, VOICE, call, ms
from tracer import keys
from tracer.errors import StoreError
from tracer.latency.summary import VERSION, Counted, Summary
from tracer.moment import Kind, Moment, facts
from tracer.service import summarizer
from tracer.service.announcer import Announcer
from tracer.service.fleet import Fleet
from tracer.service.summarizer import Summarizer
from tracer.store import Arrival
from tracer.store import summaries as stored
from tracer.store.sqlite import SqliteStore
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tracer.moment import Fact

LONG_AGO = 3600 * NS_PER_S
ROOMS_PER_PASS = 4


@pytest.fixture(autouse=True)
def _few_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summarizer, "ROOMS_PER_PASS", ROOMS_PER_PASS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "tracer.db")) as opened:
        yield opened


def of(room: str, moments: Sequence[Moment], ago: int = LONG_AGO, name: str = "") -> list[Moment]:
    """The same, in a room of its own that was finished so long ago, ns."""
    by = time.time_ns() - ago - call()[-1].time
    known = [(m, tuple((k, name or room if k == keys.ROOM_NAME else v) for k, v in m.facts)) for m in moments]
    return [
        replace(
            m,
            room=room,
            subject=m.subject.replace(ROOM, room),
            facts=facts,
            earliest=m.earliest + by,
            latest=m.latest + by,
            time=m.time + by,
        )
        for m, facts in known
    ]


def keep(store: SqliteStore, room: str, moments: Sequence[Moment], ago: int = LONG_AGO, name: str = "") -> None:
    store.add([Arrival(tuple(of(room, moments, ago, name)))])


def kept(store: SqliteStore) -> dict[str, Summary]:
    return {sid: Summary.from_json(body) for sid, _, body in store.summaries(999, version=VERSION) if body}


def test_a_room_is_summed_up_when_it_is_over_and_nothing_was_learnt_between_two_passes(store: SqliteStore) -> None:
    one = Summarizer(store)
    keep(store, "RM_1", without(Kind.ROOM_FINISHED))
    assert [one.run_once(), one.run_once(), one.run_once()] == [0, 0, 0]
    keep(store, "RM_1", call())
    assert one.run_once() == 0  # it has just ended
    assert one.run_once() == 1
    assert kept(store)["RM_1"].counted == Counted.MEASURED
    assert one.run_once() == 0


def test_a_room_in_which_something_is_learnt_all_the_time_waits(store: SqliteStore) -> None:
    one = Summarizer(store)
    moments = of("RM_1", call())
    store.add([Arrival(tuple(m for m in moments if m.kind is Kind.ROOM_FINISHED))])
    for m in moments[:6]:
        store.add([Arrival((m,))])
        assert one.run_once() == 0
    assert one.run_once() == 1


def test_what_is_learnt_later_makes_a_new_summary(store: SqliteStore) -> None:
    one = Summarizer(store)
    moments = of("RM_1", call())
    store.add([Arrival(tuple(m for m in moments if m.kind is not Kind.SESSION_STARTED))])
    one.run_once()
    assert one.run_once() == 1
    assert kept(store)["RM_1"].counted == Counted.NOT_READY
    store.add([Arrival(tuple(moments))])
    assert kept(store) == {}
    one.run_once()
    assert one.run_once() == 1
    assert kept(store)["RM_1"].counted == Counted.MEASURED


def test_a_room_with_an_open_job_waits_until_it_has_ended_or_is_lost(store: SqliteStore) -> None:
    one = Summarizer(store)
    running = without(Kind.JOB_ENDED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED)
    keep(store, "RM_running", running, 5 * NS_PER_S)
    keep(store, "RM_lost", running, LONG_AGO)
    one.run_once()
    assert one.run_once() == 1
    assert list(kept(store)) == ["RM_lost"]
    assert one.run_once() == 0


def test_a_room_without_an_agent_waits_for_a_worker_that_comes_too_late(store: SqliteStore) -> None:
    one = Summarizer(store)
    alone = [m for m in call() if m.subject not in (JOB, AGENT, VOICE)]
    keep(store, "RM_now", alone, 5 * NS_PER_S)
    keep(store, "RM_then", alone, LONG_AGO)
    one.run_once()
    assert one.run_once() == 1
    assert list(kept(store)) == ["RM_then"]


def test_a_room_to_which_nobody_listens_any_more_does_not_wait(store: SqliteStore) -> None:
    """Its job's end and a late worker would not be heard: without this it waited for ever, and was counted nowhere."""
    one = Summarizer(store)
    running = without(Kind.JOB_ENDED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED)
    keep(store, "RM_running", running, 20 * NS_PER_S)
    keep(store, "RM_alone", [m for m in call() if m.subject not in (JOB, AGENT, VOICE)], 20 * NS_PER_S)
    stopped = time.time_ns() - 19 * NS_PER_S
    store.note_listened("one", stopped - 60 * NS_PER_S, stopped)
    one.run_once()
    assert one.run_once() == 2
    assert kept(store).keys() == {"RM_running", "RM_alone"}


def test_the_room_of_the_same_name_before_is_summed_up_again(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str | None]] = []
    original = stored.summarize_room

    def summarized(reader: SqliteStore, sid: str) -> object:
        found = original(reader, sid)
        timeline = found[1]
        seen.append((sid, timeline.later.room.sid if timeline and timeline.later else None))
        return found

    monkeypatch.setattr(summarizer, "summarize_room", summarized)
    one = Summarizer(store)
    keep(store, "RM_1", call(), LONG_AGO, "demo")
    one.run_once()
    assert one.run_once() == 1
    keep(store, "RM_2", call(), LONG_AGO - 60 * NS_PER_S, "demo")
    keep(store, "RM_other", call(), LONG_AGO - 30 * NS_PER_S, "other")
    assert [one.run_once(), one.run_once()] == [1, 2]
    assert seen == [("RM_1", None), ("RM_1", "RM_2"), ("RM_2", None), ("RM_other", None)]
    assert one.run_once() == 0
    assert set(kept(store)) == {"RM_1", "RM_2", "RM_other"}


def test_a_room_of_the_doctors_is_neither_announced_nor_counted(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tracer")
    fleet = Fleet()
    one = Summarizer(store, Announcer(since=0, webhooks=False), fleet)
    keep(store, "RM_1", call(), name="tracer-doctor-1")
    keep(store, "RM_2", call(), name="demo")
    assert [one.run_once(), one.run_once()] == [0, 2]
    assert [text.split()[2] for text in caplog.messages if text.startswith("room ")] == ["(RM_2)"]
    [rooms] = [family for family in fleet.collect() if family.name == "tracer_rooms"]
    assert [sample.value for sample in rooms.samples] == [1]


def damaged(store: SqliteStore, room: str) -> None:
    keep(store, room, call())
    with store._transaction() as db:
        db.execute("UPDATE moment SET facts = '{' WHERE room = ? AND subject = ?", (room, ADA))


def test_a_room_that_is_damaged_is_counted_as_that_and_does_not_stand_in_the_way(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(ROOMS_PER_PASS + 2):
        damaged(store, f"RM_bad{number}")
    keep(store, "RM_good", call())
    one = Summarizer(store)
    assert [one.run_once() for _ in range(4)] == [0, ROOMS_PER_PASS, 3, 0]
    assert kept(store)["RM_good"].counted == Counted.MEASURED
    assert kept(store)["RM_bad0"] == Summary(Counted.UNREADABLE)
    assert "cannot summarize room RM_bad0" in caplog.text


def test_rooms_that_have_to_wait_do_not_stand_in_the_way(store: SqliteStore) -> None:
    running = without(Kind.JOB_ENDED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED)
    for number in range(2 * ROOMS_PER_PASS):
        keep(store, f"RM_running{number}", running, 5 * NS_PER_S)
    keep(store, "RM_good", call())
    one = Summarizer(store)
    assert sum(one.run_once() for _ in range(5)) == 1
    assert list(kept(store)) == ["RM_good"]


def test_a_room_that_cannot_be_read_now_is_tried_again_and_others_are_not_kept_waiting(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original, broken = SqliteStore.moments, {"RM_1"}

    def moments(self: SqliteStore, sid: str) -> list[Moment]:
        if sid in broken:
            raise StoreError("disk I/O error")
        return original(self, sid)

    monkeypatch.setattr(SqliteStore, "moments", moments)
    keep(store, "RM_1", call())
    keep(store, "RM_2", call())
    one = Summarizer(store)
    one.run_once()
    assert one.run_once() == 1
    assert list(kept(store)) == ["RM_2"]
    assert "disk I/O error" in caplog.text
    broken.clear()
    assert one.run_once() == 1
    assert set(kept(store)) == {"RM_1", "RM_2"}


def test_a_room_that_is_forgotten_meanwhile_does_not_stand_in_the_way(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    listed = store.to_summarize

    def and_forgotten(after: int, until: int, limit: int) -> list[tuple[str, int]]:
        rooms = listed(after, until, limit)
        return [("RM_gone", 1), *rooms]

    monkeypatch.setattr(store, "to_summarize", and_forgotten)
    keep(store, "RM_1", call())
    summing = Summarizer(store)
    assert [summing.run_once(), summing.run_once()] == [0, 1]
    assert list(kept(store)) == ["RM_1"]
    assert not caplog.messages


def test_no_more_rooms_than_a_few_are_summed_up_at_once(store: SqliteStore) -> None:
    for number in range(2 * ROOMS_PER_PASS + 3):
        keep(store, f"RM_{number}", call())
    one = Summarizer(store)
    assert [one.run_once() for _ in range(5)] == [0, ROOMS_PER_PASS, ROOMS_PER_PASS, 3, 0]


def run_until_kept(store: SqliteStore, kind: type[Summarizer], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run it as `tracer serve` does, until it has made a summary."""
    monkeypatch.setattr(summarizer, "INTERVAL", 0.01)

    async def run() -> None:
        made, loop = asyncio.Event(), asyncio.get_running_loop()

        class Watched(kind):  # type: ignore[valid-type, misc]  # one of two classes
            def run_once(self) -> int:
                found: int = super().run_once()
                if found:
                    loop.call_soon_threadsafe(made.set)
                return found

        task = asyncio.create_task(Watched(store).run())
        async with asyncio.timeout(30):
            await made.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_summaries_of_another_version_are_made_anew_when_it_starts(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, "RM_1", call())
    store.summarized([("RM_1", store.newest(), "of old")], VERSION - 1)
    one = Summarizer(store)
    assert [one.run_once(), one.run_once()] == [0, 0]
    run_until_kept(store, Summarizer, monkeypatch)
    assert kept(store)["RM_1"].counted == Counted.MEASURED


def test_a_store_that_fails_is_said_and_tried_again(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keep(store, "RM_1", call())
    fails = ["cannot look again", "cannot look", "cannot forget"]

    class Failing(Summarizer):
        def _forget(self) -> int:
            raise StoreError(fails.pop())

        def run_once(self) -> int:
            if fails:
                raise StoreError(fails.pop())
            return super().run_once()

    run_until_kept(store, Failing, monkeypatch)
    assert [record.message for record in caplog.records] == [
        "cannot make summaries: cannot forget",
        "cannot make summaries: cannot look",
        "cannot make summaries: cannot look again",
    ]


def test_whoever_comes_back_into_a_room_that_is_still_open_shows_in_the_room_before(store: SqliteStore) -> None:
    one = Summarizer(store)
    lost: dict[str, Fact] = {keys.DISCONNECT_REASON: "CONNECTION_TIMEOUT"}
    kind = Kind.PARTICIPANT_LEFT
    cut_off = [
        replace(m, facts=facts({**dict(m.facts), **lost})) if (m.kind, m.subject) == (kind, ADA) else m for m in call()
    ]
    keep(store, "RM_1", cut_off, 60 * NS_PER_S, "demo")
    one.run_once()
    assert one.run_once() == 1
    assert kept(store)["RM_1"].causes == ()
    keep(store, "RM_2", [m for m in call() if m.time < ms(1000)], 50 * NS_PER_S, "demo")
    assert one.run_once() == 1
    assert kept(store)["RM_1"].causes == ("caller-away",)
    assert one.run_once() == 0


def test_when_cancelled_it_stops_soon_and_the_store_can_be_closed(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(ROOMS_PER_PASS):
        keep(store, f"RM_{number}", call())
    begun: list[str] = []
    original = stored.summarize_room

    async def run() -> None:
        reached, go_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def summarized(reader: SqliteStore, sid: str) -> object:
            begun.append(sid)
            loop.call_soon_threadsafe(reached.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(30)
            return original(reader, sid)

        monkeypatch.setattr(summarizer, "summarize_room", summarized)
        task = asyncio.create_task(Summarizer(store).run())
        await reached.wait()
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        loop.call_soon(go_on.set)
        await asyncio.gather(task, return_exceptions=True)

    monkeypatch.setattr(summarizer, "INTERVAL", 0.01)
    asyncio.run(run())
    assert len(begun) == 1
    assert len(kept(store)) == 1
