"""The full screen, by Textual's own pilot: https://textual.textualize.io/guide/testing."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.text import Text
from textual.events import Key

from tests.moments import ROOM, call, moment, ms
from tests.receiving import LIMIT
from tests.watch.test_rooms import created
from tests.why.cases import CASES, in_room
from tracer import keys
from tracer.moment import Kind
from tracer.service.replay import replay
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.watch.app import RoomsScreen, WatchApp
from tracer.watch.lines import Lines
from tracer.watch.reading import Reading
from tracer.watch.room_screen import RoomScreen, WhyScreen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from rich.segment import Segment
    from textual.pilot import Pilot

pytestmark = pytest.mark.slow
HOSTILE = "[bold red]\x1b[2J\u202e[@click=app.bell]x[/]"
FAILED = "RM_failed"
CALLS = Path(__file__).parents[1] / "calls"


@pytest.fixture
def calls(path: Path) -> Path:
    """A store with a call that went well, a later one that did not, and one of a hostile name before both."""
    case = next(case for case in CASES if case.cause == "session-closed")
    later = in_room(FAILED, case.moments)
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(call())), Arrival(tuple(later))])
        store.add([Arrival((created("RM_hostile", ms(-5), HOSTILE),))])
    return path


@asynccontextmanager
async def watching(path: Path, size: tuple[int, int] = (120, 40), jaeger_url: str = "") -> AsyncIterator[Pilot[None]]:
    reading = Reading(str(path))
    try:
        app = WatchApp(reading, str(path), jaeger_url=jaeger_url)
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: "room" in text(pilot))
            yield pilot
    finally:
        reading.close()


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, text(pilot)
        await pilot.pause(0.02)


def text(pilot: Pilot[None]) -> str:
    """What is on the screen."""
    screen, width = pilot.app.screen, pilot.app.size.width
    strips = screen._compositor.render_strips()
    return "\n".join(strip.text[:width] for strip in strips)


def line(pilot: Pilot[None]) -> str:
    """The line under the cursor."""
    lines = pilot.app.screen.query(Lines).last()
    return lines._line(lines.cursor).plain


def run(what: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(6 * LIMIT):
            await what()

    asyncio.run(limited())


async def opened(pilot: Pilot[None], sid: str) -> RoomScreen:
    """The room's screen, when its moments are there."""
    assert isinstance(pilot.app, WatchApp)
    pilot.app.push_screen(RoomScreen(sid, pilot.app.reading, pilot.app.jaeger_url))
    await until(pilot, lambda: isinstance(pilot.app.screen, RoomScreen) and "offset" in text(pilot))
    assert isinstance(pilot.app.screen, RoomScreen)
    return pilot.app.screen


BLACK_OR_WHITE = {0, 7, 8, 15}
LINES = re.compile("[\\s\u2500-\u259f]*")


def for_one_ground(pilot: Pilot[None]) -> list[Segment]:
    """The words on the screen in a colour that a terminal of the other ground does not show."""
    strips = pilot.app.screen._compositor.render_strips()
    return [
        cell
        for strip in strips
        for cell in strip
        if cell.style and not LINES.fullmatch(cell.text)
        for used in [cell.style.color, cell.style.bgcolor]
        if used and not used.is_default and (used.number is None or used.number in BLACK_OR_WHITE)
    ]


def test_every_text_is_legible_on_a_light_and_on_a_dark_ground(calls: Path) -> None:
    async def main() -> None:
        async with watching(calls) as pilot:
            await until(pilot, lambda: "session-closed" in text(pilot))
            await pilot.press("slash", "q", "q", "q", "shift+left")
            await until(pilot, lambda: "qqq" in text(pilot))
            assert not for_one_ground(pilot)
            await pilot.press("escape", "escape")
            await opened(pilot, ROOM)
            await pilot.press("y")
            await until(pilot, lambda: "copied" in text(pilot))
            assert not for_one_ground(pilot)

    run(main)


def test_a_room_is_chosen_opened_and_left(calls: Path) -> None:
    async def main() -> None:
        async with watching(calls) as pilot:
            await until(pilot, lambda: FAILED in text(pilot))
            await pilot.press("end")
            assert "RM_hostile" in line(pilot)
            await pilot.press("home", "enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, RoomScreen) and "room created" in text(pilot))
            await pilot.press("q")
            await until(pilot, lambda: isinstance(pilot.app.screen, RoomsScreen))

    run(main)


def test_the_next_problem_is_found_among_rooms_and_in_one(calls: Path) -> None:
    async def main() -> None:
        async with watching(calls) as pilot:
            await until(pilot, lambda: "session-closed" in text(pilot))
            await pilot.press("end", "n")
            assert FAILED in line(pilot)
            await pilot.press("enter")
            await until(pilot, lambda: "offset" in text(pilot))
            await pilot.press("home", "n")
            assert "session closed" in line(pilot)
            await until(pilot, lambda: "problem" in text(pilot))
            assert "What the session" in text(pilot) or "The session" in text(pilot)

    run(main)


def test_details_say_what_a_moment_means_and_what_each_witness_reported(calls: Path) -> None:
    async def main() -> None:
        async with watching(calls) as pilot:
            await opened(pilot, ROOM)
            await pilot.press("home", "down")
            await until(pilot, lambda: "meaning" in text(pilot))
            shown = text(pilot)
            assert Kind.DISPATCH_CREATED.info.meaning.replace("`", "")[:30] in shown
            assert "observer said" in shown
            await pilot.press("enter")
            await until(pilot, lambda: "meaning" not in text(pilot))

    run(main)


def test_the_axis_is_zoomed_and_panned_and_the_moment_stays_in_view(calls: Path) -> None:
    async def main() -> None:
        async with watching(calls) as pilot:
            screen = await opened(pilot, ROOM)
            await pilot.press("end", "up", "up", "up", "up")
            before = [one.plain for one in screen._chart]
            await pilot.press("plus", "plus", "plus")
            assert [one.plain for one in screen._chart] != before
            chart = screen._view.chart(119, 8, screen._shift, screen._entry().step.time)  # type: ignore[union-attr]
            assert chart.marked is not None
            assert chart.shift <= chart.marked < chart.shift + chart.width
            shift = screen._shift
            await pilot.press("left")
            assert screen._shift < shift
            await pilot.press("0")
            assert [one.plain for one in screen._chart] == before

    run(main)


def test_the_link_is_copied(calls: Path) -> None:
    async def main() -> None:
        async with watching(calls, jaeger_url="http://127.0.0.1:16686") as pilot:
            await opened(pilot, ROOM)
            await pilot.press("y")
            assert pilot.app.clipboard.startswith("http://127.0.0.1:16686/trace/")
            await until(pilot, lambda: "copied" in text(pilot))

    run(main)


def test_why_and_everything_are_shown(calls: Path) -> None:
    async def main() -> None:
        async with watching(calls) as pilot:
            screen = await opened(pilot, FAILED)
            count = len(screen._entries)
            await pilot.press("a")
            assert len(screen._entries) >= count
            await pilot.press("w")
            await until(pilot, lambda: isinstance(pilot.app.screen, WhyScreen) and "session-closed" in text(pilot))
            await pilot.press("w")
            await until(pilot, lambda: isinstance(pilot.app.screen, RoomScreen))

    run(main)


def test_what_is_typed_with_the_slash_is_searched_for(calls: Path) -> None:
    async def search() -> None:
        async with watching(calls) as pilot:
            for key in ("slash", *FAILED):  # without a pause between, as of who pastes, or types while all is busy
                pilot.app.post_message(Key(key, "/" if key == "slash" else key))
            await until(pilot, lambda: "1 found of" in text(pilot))
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, RoomScreen))
            assert pilot.app.screen.query(Lines)

    run(search)


def test_rooms_are_searched(calls: Path) -> None:
    async def main() -> None:
        async with watching(calls) as pilot:
            await until(pilot, lambda: FAILED in text(pilot))
            await pilot.press("slash", *"RM_failed")
            await until(pilot, lambda: "1 found of 3 rooms" in text(pilot))
            assert ROOM not in text(pilot)
            await pilot.press("enter", "escape")
            await until(pilot, lambda: ROOM in text(pilot))

    run(main)


def test_what_comes_is_shown_and_the_cursor_stays_with_its_room(calls: Path) -> None:
    async def main() -> None:
        async with watching(calls) as pilot:
            await until(pilot, lambda: FAILED in text(pilot))
            await pilot.press("end")
            with closing(SqliteStore(calls)) as store:
                store.add([Arrival((created("RM_new", time.time_ns(), "new"),))])
            await until(pilot, lambda: "RM_new" in text(pilot))
            assert "RM_hostile" in line(pilot)

    run(main)


def test_what_moves_by_a_line_and_says_the_same_is_not_made_again(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    render = Text.render

    def counted(one: Text, *arguments: Any, **named: Any) -> Iterable[Segment]:
        made.append(one.plain)
        return render(one, *arguments, **named)

    async def main() -> None:
        async with watching(calls) as pilot:
            await until(pilot, lambda: "1 with a problem" in text(pilot))
            monkeypatch.setattr(Text, "render", counted)
            with closing(SqliteStore(calls)) as store:
                store.add([Arrival((created("RM_new", time.time_ns(), "new"),))])
            await until(pilot, lambda: "RM_new" in text(pilot))
            assert any("RM_new" in line for line in made)
            assert not any(FAILED in line for line in made)

    run(main)


def test_a_call_goes_on_while_it_is_looked_at(path: Path) -> None:
    async def main() -> None:
        with closing(SqliteStore(path)) as store:
            store.add([Arrival((created("RM_new", time.time_ns(), "new"),))])
            async with watching(path) as pilot:
                await opened(pilot, "RM_new")
                await until(pilot, lambda: "open for" in text(pilot))
                told = {keys.PARTICIPANT_IDENTITY: HOSTILE}
                joins = moment(Kind.PARTICIPANT_JOINING, "PA_x", time.time_ns(), room="RM_new", told=told)
                store.add([Arrival((joins,))])
                await until(pilot, lambda: "JOINING" in text(pilot))
                lines = pilot.app.screen.query(Lines).last()
                assert lines.cursor == lines.count - 1, "the cursor is at the latest, as it was"
                # What should have followed after a second is the latest then, and the cursor goes with it.
                await until(pilot, lambda: "not ACTIVE" in line(pilot))
                assert lines.cursor == lines.count - 1
                store.forget("RM_new")
                await until(pilot, lambda: isinstance(pilot.app.screen, RoomsScreen))

    run(main)


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 10)])
def test_text_from_outside_is_text_at_every_size(calls: Path, size: tuple[int, int]) -> None:
    async def main() -> None:
        async with watching(calls, size) as pilot:
            await until(pilot, lambda: "[bold" in text(pilot))
            screen = await opened(pilot, "RM_hostile")
            await pilot.press("enter", "enter", "plus", "w", "w", "y")
            await pilot.resize_terminal(size[0] + 7, size[1] + 3)
            await pilot.pause()
            assert screen._entries
            assert "\x1b" not in text(pilot)
            assert "\u202e" not in text(pilot)

    run(main)


def test_a_store_that_fails_is_said_and_opened_again(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracer.watch.app.AFTER_ERROR", 0.05)

    async def main() -> None:
        async with watching(calls) as pilot:
            await until(pilot, lambda: FAILED in text(pilot))
            assert isinstance(pilot.app, WatchApp)
            moved = calls.rename(calls.with_suffix(".gone"))  # noqa: ASYNC240  at once
            await pilot.app.reading.run(lambda reader: reader.close())
            await until(pilot, lambda: not text(pilot).startswith("tracer watch"))
            assert str(calls)[:40] in text(pilot).splitlines()[0]
            moved.rename(calls)
            await until(pilot, lambda: "3 rooms" in text(pilot))

    run(main)


def test_what_is_red_without_a_cause_is_a_problem_too(path: Path) -> None:
    """Nothing explains why the agent left, and its caller is red from then on."""
    with closing(SqliteStore(path)) as store:
        replay([CALLS / "ends_with_another_1_5.jsonl.gz"], store)
        (sid,) = [room.sid for room in store.rooms(1)]

    async def main() -> None:
        async with watching(path) as pilot:
            await opened(pilot, sid)
            await pilot.press("home", "n")
            assert "agent 1 left" in line(pilot)

    run(main)
