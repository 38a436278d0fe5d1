"""Pictures of the page, for the documentation and to be looked at: ``python -m tests.page_pictures [FOLDER]``.

Writes ``docs/page.png`` and, where a folder is named, the page of several calls at several sizes into that.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.browser import Tab, chromium
from tests.receiving import receiving
from tracer.service.page import Page, PageOptions
from tracer.service.replay import replay
from tracer.service.summarizer import Summarizer
from tracer.store.sqlite import SqliteStore

ROOT = Path(__file__).parents[1]
CALLS = ("case_agent_cut", "ok_two_callers", "s11_all_reject", "earlier_room", "two_job_types")


class Look(NamedTuple):
    """One picture."""

    name: str
    search: str
    """Finds the room; empty: the list."""
    width: int = 1400
    height: int = 1000
    dark: bool = False


LOOKS = [
    Look(f"{name}-{size}-{'dark' if dark else 'light'}", search, width, height, dark)
    for name, search in (
        ("rooms", ""),
        ("failed", "agent-lost-connection"),
        ("well", "ok-two-callers"),
        ("rejected", "rejected"),
        ("broken", "agent-of-earlier-room"),
    )
    for size, width, height in (("desktop", 1400, 1000), ("phone", 390, 844))
    for dark in (False, True)
]


async def look(tab: Tab, page: str, one: Look) -> bytes:
    """Open it, and take the picture when it is drawn."""
    await tab.open("about:blank")
    await tab.open(f"{page}#search={one.search}", width=one.width, height=one.height, dark=one.dark)
    await tab.until("document.querySelector('.rooms .name a') !== null")
    if one.search:
        await tab.run("document.querySelector('.rooms .name a').click()")
        await tab.until("document.querySelectorAll('.bar').length > 1")
        await tab.until("document.querySelector('#live').className === 'live'")
        await tab.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return await tab.picture()


async def draw(folder: Path | None) -> None:
    """All of them."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as scratch:
        store = Path(scratch) / "tracer.db"
        with closing(SqliteStore(store)) as kept:
            replay([ROOT / "tests" / "calls" / f"{call}.jsonl.gz" for call in CALLS], kept)
            summarizer = Summarizer(kept)
            while not summarizer.run_once():
                pass  # the first pass only notes what there is; causes are searched for in summaries
        async with chromium() as tab, receiving(store, page=Page(str(store), PageOptions())) as client:
            page = f"http://127.0.0.1:{client.port}/"
            picture = await look(tab, page, Look("page", "agent-lost-connection", 1400, 960))
            await asyncio.to_thread((ROOT / "docs" / "page.png").write_bytes, picture)
            for one in LOOKS if folder else ():
                assert folder
                picture = await look(tab, page, one)
                await asyncio.to_thread((folder / f"{one.name}.png").write_bytes, picture)


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
