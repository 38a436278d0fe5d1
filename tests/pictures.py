"""Pictures of terminal and page, for the documentation and to be looked at: ``python -m tests.pictures [NAME…]``.

Writes ``docs/pictures/``, or of it those whose names begin with one that is given. Each is of a recorded call, or of
one that is made up where none is recorded: an open room, and a room of two hundred.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image
from rich.console import Console, Group, RenderableType
from rich.segment import Segment, Segments
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.browser import Tab, chromium
from tests.receiving import receiving
from tests.why.cases import healthy
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.service.page import Page, PageOptions
from tracer.service.replay import replay, timelines
from tracer.service.summarizer import Summarizer
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.view.terminal import TimelineView
from tracer.view.why import WhyView
from tracer.view.write import without_fonts
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
CALLS = ROOT / "tests" / "calls"
FAILED, WELL = "case_agent_cut", "ok_two_callers"
MANY = 200
COLOURS, FREQUENT = 256, 160
"""Colours of a picture of the page, and how many of them are its most frequent ones."""


# The page.


class Look(NamedTuple):
    """One picture of the page."""

    name: str
    room: str
    """Finds the room; empty: the list. Of two, the rooms side by side."""
    width: int
    height: int
    dark: bool
    key: str = ""
    """What is pressed on the timeline: the next problem, or the last moment."""
    hover: bool = False
    """Whether the pointer is on a moment."""


LOOKS = [
    Look(f"page-{name}-{size}-{'dark' if dark else 'light'}", room, width, height, dark, key, hover=name == "moment")
    for name, room, key, sizes in (
        ("rooms", "", "", ((1400, 520), (390, 844))),
        ("failed", "agent-lost-connection", "n", ((1400, 900), (390, 844))),
        ("well", "ok-two-callers", "End", ((1400, 900), (390, 844))),
        ("crowd", "town hall", "", ((1400, 900), (390, 844))),
        ("open", "front desk", "End", ((1400, 900), (390, 844))),
        ("moment", "agent-lost-connection", "", ((1400, 900),)),
        ("pair", "ok-two-callers|agent-lost-connection", "", ((1400, 900),)),
    )
    for size, (width, height) in zip(("desktop", "phone"), sizes, strict=False)
    for dark in (False, True)
]


def moved(moments: Iterable[Moment], sid: str, name: str, created: int) -> list[Moment]:
    """The same call in another room, created at another time, ns."""
    every = list(moments)
    late = created - every[0].time
    named = (keys.ROOM_NAME, name)
    return [
        replace(
            moment,
            room=sid,
            subject=sid if moment.subject == moment.room else moment.subject,
            earliest=moment.earliest + late,
            latest=moment.latest + late,
            time=moment.time + late,
            facts=tuple(named if fact[0] == keys.ROOM_NAME else fact for fact in moment.facts),
        )
        for moment in every
    ]


def guests(created: int) -> Iterator[Moment]:
    """Two hundred who come one after the other when the agent is there, and leave in another order."""
    for number in range(MANY):
        known = ((keys.PARTICIPANT_IDENTITY, f"guest {number + 1}"), (keys.PARTICIPANT_KIND, "STANDARD"))
        comes = 1000 + number * 190
        goes = 44_000 + (number * 7919) % 9000
        for kind, at in (
            (Kind.PARTICIPANT_JOINING, comes),
            (Kind.PARTICIPANT_ACTIVE, comes + 90 + number % 60),
            (Kind.PARTICIPANT_LEFT, goes),
        ):
            ns = created + at * NS_PER_MS
            yield Moment("RM_townHall", kind, f"PA_{number}", ns, ns, ns, "server", "webhook", "", known)


def made_up() -> list[Moment]:
    """An open room, and a room of two hundred with an agent in it."""
    now = time.time_ns()
    ended = {Kind.PARTICIPANT_LEFT, Kind.SESSION_CLOSED, Kind.AGENT_DISCONNECTED, Kind.ROOM_FINISHED}
    ended |= {Kind.JOB_SHUTDOWN, Kind.JOB_ENDED}
    open_room = [moment for moment in healthy() if moment.kind not in ended]
    longer = 50 * NS_PER_S
    host = [
        replace(one, earliest=one.earliest + longer, latest=one.latest + longer, time=one.time + longer)
        if one.kind in ended
        else one
        for one in healthy()
    ]
    began = now - 600 * NS_PER_S
    return [
        *moved(open_room, "RM_frontDesk", "front desk", now - 5 * NS_PER_S),
        *moved(host, "RM_townHall", "town hall", began),
        *guests(began),
    ]


async def look(tab: Tab, page: str, one: Look) -> bytes:
    """Open it, and take the picture when it is drawn."""
    rooms = one.room.split("|")
    sids = [await _sid(tab, page, room) for room in rooms if room]
    await tab.open("about:blank")
    await tab.open(
        page + "#" + "&".join(f"room={sid}" for sid in sids), width=one.width, height=one.height, dark=one.dark
    )
    await tab.until("document.querySelector('.rooms .name a, .bar') !== null")
    await tab.until("document.querySelector('#live').className === 'live'")
    if sids:
        drawn = "[...document.querySelectorAll('.lanes')].filter((lanes) => lanes.querySelectorAll('.bar').length > 1)"
        await tab.until(f"{drawn}.length === {len(sids)}")
    if one.key:
        await tab.run("document.querySelector('.lanes').focus({preventScroll: true})")
        await tab.press(one.key)
        await tab.until("document.querySelector('.row[aria-selected=true]') !== null")
        await tab.run("document.activeElement.blur()")
    if one.hover:
        at = await tab.run(
            "(({x, y}) => [x + 3, y + 3])(document.querySelector('circle.moment.failed').getBoundingClientRect())"
        )
        await tab.send("Input.dispatchMouseEvent", type="mouseMoved", x=at[0], y=at[1])
        await tab.until("document.querySelector('.tip:not([hidden])') !== null")
    await tab.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return small(await tab.picture())


async def _sid(tab: Tab, page: str, room: str) -> str:
    await tab.open("about:blank")
    await tab.open(f"{page}#search={room.replace(' ', '%20')}")
    await tab.until("document.querySelector('.rooms .name a') !== null")
    href = await tab.run("document.querySelector('.rooms .name a').getAttribute('href')")
    return str(href).partition("room=")[2]


def small(picture: bytes) -> bytes:
    """The same picture in as many colours as a byte tells apart: a third of the size.

    Those that are most frequent stay what they are; the others are those that differ most, as of a dot or two.
    """
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(np.int64)
    packed = (pixels[..., 0] << 16) | (pixels[..., 1] << 8) | pixels[..., 2]
    values, at, counts = np.unique(packed, return_inverse=True, return_counts=True)
    colours = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=1)
    chosen = list(np.argsort(-counts)[:FREQUENT])
    away = np.min([((colours - colours[one]) ** 2).sum(axis=1) for one in chosen], axis=0)
    while len(chosen) < COLOURS and away.max() > 0:
        chosen.append(away.argmax())
        away = np.minimum(away, ((colours - colours[chosen[-1]]) ** 2).sum(axis=1))
    nearest = np.argmin([((colours - colours[one]) ** 2).sum(axis=1) for one in chosen], axis=0)
    few = Image.fromarray(nearest[at].reshape(packed.shape).astype(np.uint8), "P")
    few.putpalette(colours[chosen].astype(np.uint8).tobytes())
    made = io.BytesIO()
    few.save(made, "PNG", optimize=True)
    return made.getvalue()


async def draw_pages(looks: list[Look]) -> None:
    """Take them all, in one browser."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as scratch:
        store = Path(scratch) / "tracer.db"
        with closing(SqliteStore(store)) as kept:
            replay([CALLS / f"{name}.jsonl.gz" for name in (FAILED, WELL, "s11_all_reject", "earlier_room")], kept)
            kept.add([Arrival(tuple(made_up()))])
            now = time.time_ns()
            kept.note_listened("pictures", now - 900 * NS_PER_S, now + 900 * NS_PER_S)
            summarizer = Summarizer(kept)
            while not summarizer.run_once():
                pass  # the first pass only notes what there is; causes are searched for in summaries
        async with chromium() as tab, receiving(store, page=Page(str(store), PageOptions())) as client:
            for one in looks:
                picture = await look(tab, f"http://127.0.0.1:{client.port}/", one)
                await asyncio.to_thread((FOLDER / f"{one.name}.png").write_bytes, picture)
                print(f"{one.name}.png: {len(picture) // 1024} kB")


# The terminal.


def theme(back: str, front: str, normal: str, bright: str) -> TerminalTheme:
    """Of colours as ``0d1117``: black, red, green, yellow, blue, magenta, cyan and white, and the brighter ones."""

    def parsed(text: str) -> list[tuple[int, int, int]]:
        return [(int(one[:2], 16), int(one[2:4], 16), int(one[4:], 16)) for one in text.split()]

    return TerminalTheme(parsed(back)[0], parsed(front)[0], parsed(normal), parsed(bright))


DARK = theme(
    "0d1117",
    "e6edf3",
    "484f58 ff7b72 3fb950 d29922 58a6ff bc8cff 39c5cf b1bac4",
    "6e7681 ffa198 56d364 e3b341 79c0ff d2a8ff 56d4dd ffffff",
)
LIGHT = theme(
    "ffffff",
    "1f2328",
    "24292f cf222e 116329 8a5a00 0969da 8250df 1b7c83 6e7781",
    "57606a a40e26 1a7f37 633c01 218bff a475f9 3192aa 8c959f",
)
"""The colours of a terminal on black and on white, as GitHub's themes have them."""


class Shot(NamedTuple):
    """One picture of a terminal."""

    name: str
    command: str
    view: RenderableType
    width: int
    height: int


def shots() -> list[Shot]:
    """What a terminal of each size shows."""
    failed, well = (timelines(CALLS / f"{name}.jsonl.gz")[-1] for name in (FAILED, WELL))
    first = timelines(ROOT / "tracer" / "demo" / "call.jsonl")[-1]
    return [
        Shot(
            "failed-80x24", f"tracer timeline {failed.room.name} --summary", TimelineView(failed, summary=True), 80, 24
        ),
        Shot("why-80x24", f"tracer why {failed.room.name}", WhyView(failed, explain(failed)), 80, 24),
        Shot("call-120x40", f"tracer timeline {first.room.name}", TimelineView(first), 120, 40),
        Shot("callers-200x50", f"tracer timeline {well.room.name}", TimelineView(well), 200, 50),
    ]


def draw_terminal(one: Shot, colours: TerminalTheme, path: Path) -> None:
    """A terminal of this size after the command, from its top."""
    out = Console(
        file=io.StringIO(), record=True, width=one.width, force_terminal=True, color_system="truecolor", highlight=False
    )
    lines = out.render_lines(Group(Text(f"$ {one.command}", no_wrap=True), one.view), pad=False)
    for line in islice(lines, one.height):
        out.print(Segments([*line, Segment.line()]), end="")
    for _ in range(one.height - len(lines)):
        out.print()
    path.write_text(without_fonts(out.export_svg(title=one.command, theme=colours)), encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size // 1024} kB")


def main(wanted: list[str]) -> None:
    """Draw those that are wanted; all, without any."""
    FOLDER.mkdir(exist_ok=True)
    for shot in shots():
        for colours, name in ((LIGHT, f"terminal-{shot.name}-light"), (DARK, f"terminal-{shot.name}-dark")):
            if name.startswith(tuple(wanted) or ""):
                draw_terminal(shot, colours, FOLDER / f"{name}.svg")
    looks = [one for one in LOOKS if one.name.startswith(tuple(wanted) or "")]
    if looks:
        asyncio.run(draw_pages(looks))


if __name__ == "__main__":
    main(sys.argv[1:])
