"""The page in a real Chromium."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.axe import complaints
from tests.browser import CHROMIUM, Tab, chromium
from tests.moments import call
from tests.receiving import LIMIT, Client, receiving
from tests.signed import EVENTS
from tracer import keys
from tracer.explain import explain
from tracer.moment import Kind, Moment
from tracer.service.page import Page, PageOptions
from tracer.service.replay import timelines
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.timeline.fold import fold
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.view.page.files import one_file
from tracer.view.page.room import as_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not CHROMIUM and not os.environ.get("CI"), reason="no chromium: apt-get install chromium"),
]
CALLS = Path(__file__).parents[1] / "calls"
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><b>"
"""A name that would run where text was taken for markup."""


def in_browser(
    path: Path,
    what: Callable[[Tab, Client, str], Awaitable[None]],
    moments: Iterable[Moment] = (),
    options: PageOptions = PageOptions(),  # noqa: B008  it does not change
) -> None:
    """Run a test with a browser, a receiver that has these moments, and the address of its page."""

    @asynccontextmanager
    async def all_of_it() -> AsyncIterator[tuple[Tab, Client]]:
        async with chromium() as tab, receiving(path, page=Page(str(path), options)) as client:
            yield tab, client

    async def main() -> None:
        async with asyncio.timeout(6 * LIMIT), all_of_it() as (tab, client):
            await what(tab, client, f"http://127.0.0.1:{client.port}/")
            assert tab.complaints == []
            others = [
                asked for asked in tab.asked if not asked.startswith((f"http://127.0.0.1:{client.port}/", "data:"))
            ]
            assert [asked for asked in others if asked != "about:blank"] == []

    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(moments or call()))])
    asyncio.run(main())


SID = call()[0].room
HEADLINE = "document.querySelector('.verdict h1')?.textContent"


def test_a_recorded_call_is_found_and_shown(tmp_path: Path) -> None:
    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(page)
        await tab.until("document.querySelector('.rooms .name a')?.textContent === 'demo'")
        await tab.run("document.querySelector('.rooms .name a').click()")
        await tab.until(HEADLINE)
        assert await tab.until("document.querySelectorAll('.bar').length > 3")
        rows = await tab.run("[...document.querySelectorAll('.row .what')].map((row) => row.textContent)")
        assert any("JOINING" in row for row in rows)
        assert await tab.run("document.querySelector('#live').textContent") == "live"
        # Who points at a word is told what it means, in the words of `tracer explain`.
        for pointed, word in ((".row .what", "room.created"), (".gaps .owner", "livekit_server")):
            found = explain(word)
            assert found
            title = await tab.run(f"document.querySelector({pointed!r}).title")
            assert title.endswith(found.hover.replace("`", "")), title

    in_browser(tmp_path / "t.db", look)


def test_what_stands_in_backticks_is_code_and_a_room_that_is_read_has_no_verdict_yet(tmp_path: Path) -> None:
    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(f"{page}#room={SID}")
        await tab.until("document.querySelectorAll('.bar').length > 3")
        await tab.run("document.querySelector('.lanes').focus()")
        seen = 0
        for _step in range(len(call())):
            await tab.press("ArrowRight")
            seen += await tab.run("document.querySelectorAll('.details code').length")
            assert "`" not in await tab.run("document.querySelector('.details').textContent")
        assert seen
        assert (
            await tab.run("[...document.querySelectorAll('[title]')].filter((one) => one.title.includes('`')).length")
            == 0
        )
        # Text from outside stays text, and a backtick that is left over stays one.
        assert await tab.run("Tracer.prose('p', '', '`<b>x</b>` of <i>').innerHTML") == (
            "<code>&lt;b&gt;x&lt;/b&gt;</code> of &lt;i&gt;"
        )
        assert await tab.run("Tracer.prose('p', '', 'a `b').innerHTML") == "a `b"
        empty = "(() => { const made = new Tracer.Room('RM_x').element; return made.className + made.textContent; })()"
        assert "loading" in await tab.run(empty)
        assert "reading the room" in await tab.run(empty)

    in_browser(tmp_path / "t.db", look)


def test_what_was_missing_has_the_width_it_deserves_and_no_words_stand_out_of_a_bar(tmp_path: Path) -> None:
    made = timelines(CALLS / "s11_all_reject.jsonl.gz")[-1]
    moments = [moment for step in made.steps for moment in step.moments]

    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(f"{page}#room={made.room.sid}")
        await tab.until("document.querySelector('.words.failed.inside')?.textContent === 'no agent'")
        red = "[...document.querySelectorAll('.lanes rect.bar.failed')].map((bar) => bar.getBoundingClientRect())"
        width, most = await tab.run(
            f"[Math.max(...{red}.map((b) => b.width)), document.querySelector('.lanes svg').clientWidth]"
        )
        assert width > most / 4
        high = await tab.run(f"{red}.map((bar) => bar.height)")
        assert max(high) == min(high)
        words = "getComputedStyle(document.querySelector('.words.failed.inside'))"
        assert await tab.run(f"{words}.stroke") == "none"

    in_browser(tmp_path / "tracer.db", look, moments)


def test_it_is_used_with_the_keyboard_alone(tmp_path: Path) -> None:
    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(f"{page}#room={SID}")
        await tab.until("document.querySelectorAll('.bar').length > 3")
        names = []
        for _step in range(20):
            await tab.press("Tab")
            names.append(await tab.run("document.activeElement.className || document.activeElement.tagName"))
            if names[-1] == "lanes":
                break
        assert names[0] == "skip"
        assert names[-1] == "lanes", names
        for _step in range(3):
            await tab.press("ArrowRight")
        third = await tab.until("document.querySelector('.row[aria-selected=true] .what')?.textContent")
        assert third in await tab.run("document.querySelectorAll('.row .what')[2].textContent")
        assert await tab.run("document.querySelector('.details').textContent.length") > 40
        assert await tab.run("document.querySelector('.details').getAttribute('aria-live')") == "polite"
        before = await tab.run(
            "document.querySelectorAll('.axis .tick').length && document.querySelector('.axis').textContent"
        )
        for _step in range(4):
            await tab.press("+")
        await tab.until(f"document.querySelector('.axis').textContent !== {before!r}")
        unnamed = (
            "[...document.querySelectorAll('button, a, input')]"
            ".filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.length)).length"
        )
        assert await tab.run(unnamed) == 0

    in_browser(tmp_path / "t.db", look)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_that_keeps_anybody_out(tmp_path: Path, dark: bool) -> None:
    async def look(tab: Tab, _: Client, page: str) -> None:
        pair = f"{page}#room={SID}&room=RM_room001"
        for address, drawn, width in (
            (page, ".rooms .name a", 1400),
            (page, ".rooms .name a", 390),
            (f"{page}#room={SID}", ".bar", 1400),
            (f"{page}#room={SID}", ".bar", 390),
            (pair, ".room + .room .bar", 1400),
        ):
            await tab.open("about:blank")
            await tab.open(address, dark=dark, width=width)
            await tab.until(f"document.querySelector('{drawn}') !== null")
            if drawn == ".bar":
                await tab.run("document.querySelector('.lanes').focus()")
                await tab.press("ArrowRight")
                await tab.until("document.querySelector('.row[aria-selected=true]') !== null")
            assert await complaints(tab) == []

    in_browser(tmp_path / "t.db", look, [*call(), *named_room(1)])


def test_by_keys_a_room_is_entered_and_left_and_what_is_shown_is_told(tmp_path: Path) -> None:
    """Who sees nothing hears of it, and whose keys are on a link is on that link again."""
    others = [moment for number in range(120) for moment in named_room(number)]

    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(page, height=600)
        await tab.until("document.querySelectorAll('.rooms tbody tr').length === 50")
        await tab.run("document.querySelector('.more').click()")
        await tab.until("document.querySelectorAll('.rooms tbody tr').length === 100")
        # The next key is in what came.
        await tab.until("document.activeElement === document.querySelectorAll('.rooms tbody a')[50]")
        assert await tab.run("scrollY") > 0
        sid = await tab.run("document.activeElement.closest('tr').dataset.sid")
        await tab.run("document.activeElement.click()")
        await tab.until("document.querySelector('.room .bar') !== null && document.activeElement.id === 'main'")
        assert await tab.run("scrollY") == 0
        said = await tab.until("document.querySelector('#say').textContent")
        assert said.startswith(f"Room {sid.removeprefix('RM_')}. ")
        assert said == await tab.run("document.querySelector('h1').textContent")
        await tab.run("history.back()")
        await tab.until(f"document.activeElement.closest('tr')?.dataset.sid === '{sid}'")
        assert await tab.run("document.querySelectorAll('.rooms tbody tr').length") == 100
        # It stays as it was opened; what is new is shown when it is wanted.
        await tab.run("document.querySelector('.newest').click()")
        await tab.until("document.querySelectorAll('.rooms tbody tr').length === 50")
        assert await tab.run("document.querySelector('.newest').hidden")

    in_browser(tmp_path / "t.db", look, [*call(), *others])


def named_room(number: int) -> list[Moment]:
    """A room in which nobody was."""
    name, at = f"room{number:03}", call()[0].time + number * NS_PER_S
    told: Any = ((keys.ROOM_NAME, name),)
    return [
        Moment(f"RM_{name}", kind, f"RM_{name}", at, at, at, "server", "webhook", "", told)
        for kind in (Kind.ROOM_CREATED, Kind.ROOM_FINISHED)
    ]


def test_rooms_that_came_meanwhile_are_not_listed_twice(tmp_path: Path) -> None:
    others = [moment for number in range(120) for moment in named_room(number)]

    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(page)
        for many in (50, 100):
            await tab.until(f"document.querySelectorAll('.rooms tbody tr').length === {many}")
            await tab.run("document.querySelector('.more').click()")
            if many == 50:
                await tab.until("document.querySelectorAll('.rooms tbody tr').length === 100")
                with closing(SqliteStore(tmp_path / "t.db")) as store:
                    store.add([Arrival(tuple(moment for number in (800, 801) for moment in named_room(number)))])
                await tab.until("!document.querySelector('.newest').hidden")
        await tab.until("document.querySelectorAll('.rooms tbody tr').length > 100")
        sids = await tab.run("[...document.querySelectorAll('.rooms tbody tr')].map((row) => row.dataset.sid)")
        assert len(set(sids)) == len(sids)

    in_browser(tmp_path / "t.db", look, [*call(), *others])


def test_a_list_that_was_asked_for_before_more_was_opened_takes_nothing_away(tmp_path: Path) -> None:
    others = [moment for number in range(120) for moment in named_room(number)]
    hold = """
        (() => {
          const real = window.fetch;
          window.fetch = async (path, ...rest) => {
            const answer = await real(path, ...rest);
            if (path === "/api/rooms?search=&after=0" && !window.release)
              await new Promise((resolve) => (window.release = resolve));
            return answer;
          };
        })()
    """

    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(page)
        await tab.until("document.querySelectorAll('.rooms tbody tr').length === 50")
        await tab.run(hold)
        await tab.until("window.release !== undefined")  # the list is read anew every few seconds
        await tab.run("document.querySelector('.more').click()")
        await tab.until("document.querySelectorAll('.rooms tbody tr').length === 100")
        await tab.run("(window.release(), new Promise((done) => setTimeout(done)))")
        assert await tab.run("document.querySelectorAll('.rooms tbody tr').length") == 100

    in_browser(tmp_path / "t.db", look, [*call(), *others])


def test_names_from_outside_run_nothing(tmp_path: Path) -> None:
    personal = {keys.PARTICIPANT_IDENTITY, keys.ROOM_NAME, keys.AGENT_NAME}
    hostile = [
        replace(moment, facts=tuple((key, HOSTILE if key in personal else fact) for key, fact in moment.facts))
        for moment in call()
    ]

    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(page)
        await tab.until("document.querySelector('.rooms .name a')?.textContent.includes('onerror')")
        await tab.open(f"{page}#room={SID}")
        await tab.until("location.hash")
        await tab.send("Page.reload")
        await tab.until("document.querySelectorAll('.bar').length > 3")
        await tab.run("document.querySelector('.lanes').focus()")
        await tab.press("ArrowRight")
        assert await tab.run("document.querySelectorAll('img').length") == 0
        assert "owned" not in await tab.run("document.title.slice(0, 6)")
        # As one file, where names stand in the page's own source.
        file = tmp_path / "room.html"
        timeline = fold(SID, hostile, now=max(moment.latest for moment in hostile))
        file.write_text(one_file([as_json(timeline)], HOSTILE), encoding="utf-8")
        asked = len(tab.asked)
        await tab.open(file.as_uri())
        await tab.until("document.querySelectorAll('.bar').length > 3")
        assert await tab.run("document.querySelectorAll('img').length") == 0
        assert [one for one in tab.asked[asked:] if not one.startswith(("file:", "data:"))] == []
        del tab.asked[asked:]

    in_browser(tmp_path / "t.db", look, hostile)


def test_what_is_committed_is_seen_within_250_ms(tmp_path: Path) -> None:
    sid = EVENTS[0]["room"]["sid"]
    others = [replace(moment, room="RM_other") for moment in call()]

    async def look(tab: Tab, client: Client, page: str) -> None:
        assert await client.webhook(EVENTS[0]) == 200
        await tab.open(f"{page}#room={sid}")
        await tab.until(
            "document.querySelectorAll('.row').length === 1 && document.querySelector('#live').className === 'live'"
        )
        await tab.run(
            "window.seen = []; new MutationObserver(() => seen.push("
            "[Date.now(), document.querySelectorAll('.row').length]))"
            ".observe(document.querySelector('.rows .space'), {childList: true})"
        )
        delays = []
        for rows, event in enumerate([event for event in EVENTS[1:] if event["room"]["sid"] == sid][:6], 2):
            assert await client.webhook(event) == 200
            committed = time.time() * 1000
            await tab.until(f"seen.some(([, rows]) => rows >= {rows})")
            delays.append(await tab.run(f"seen.find(([, rows]) => rows >= {rows})[0]") - committed)
        assert len(delays) > 2
        assert sorted(delays)[len(delays) // 2] < 250, delays
        assert await tab.run("document.querySelector('.axis .tick') !== null")

    in_browser(tmp_path / "t.db", look, others)


def test_two_rooms_are_found_chosen_and_shown_side_by_side(tmp_path: Path) -> None:
    # A second room of which less is known, and which is shorter.
    others = [replace(moment, room="RM_other") for moment in call() if moment.time < call()[0].time + NS_PER_S]

    async def look(tab: Tab, _client: Client, page: str) -> None:
        await tab.open(page)
        await tab.until("document.querySelectorAll('.rooms .pick input').length === 2")
        await tab.run("document.querySelectorAll('.rooms .pick input').forEach((one) => one.click())")
        await tab.run("document.querySelector('.compare').click()")
        await tab.until("document.querySelectorAll('.pair .room .bar').length > 4")
        # Both on one scale, as long as the longer: moved and zoomed together.
        axes = "[...document.querySelectorAll('.axis')].map((one) => [...one.querySelectorAll('.tick')].map("
        axes += "(tick) => tick.textContent).join())"
        one, other = await tab.until(f"(([a, b]) => a && a === b && [a, b])({axes})")
        assert one == other
        await tab.run("document.querySelectorAll('.lanes')[1].focus()")
        for _ in range(5):
            await tab.press("+")
        zoomed, _also = await tab.until(f"(([a, b]) => a && a === b && a !== '{one}' && [a, b])({axes})")
        await tab.run("document.querySelector('[aria-label^=\"Show both rooms\"]').click()")
        await tab.until(f"(([a, b]) => a && b && a !== b)({axes})")
        assert zoomed
        await tab.run("document.querySelector('.home').click()")
        await tab.until("document.querySelector('.rooms') !== null")
        await tab.press("/")
        for key in "nobody":
            await tab.press(key)
        await tab.until("document.querySelector('.none')?.hidden === false")
        assert await tab.run("location.hash") == "#search=nobody"

    in_browser(tmp_path / "t.db", look, [*call(), *others])


def test_the_token_is_asked_for_and_is_in_no_address(tmp_path: Path) -> None:
    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(page)
        await tab.until("document.querySelector('#token') !== null")
        await tab.run("document.querySelector('#token').value = 'secret-of-readers'")
        await tab.run("document.querySelector('.token button').click()")
        await tab.until("document.querySelector('.rooms .name a') !== null")
        assert [asked for asked in tab.asked if "secret" in asked] == []
        assert "secret" not in await tab.run("location.href")
        refused = [one for one in tab.complaints if "401" in one]
        tab.complaints[:] = [one for one in tab.complaints if one not in refused]

    in_browser(tmp_path / "t.db", look, options=PageOptions("secret-of-readers"))


def test_what_is_out_of_order_and_clock_skew_are_marked_on_the_axis(tmp_path: Path) -> None:
    """The clock of the agent's machine is 2 s behind, and the caller was ACTIVE before they were JOINING."""
    late = [
        replace(moment, **{name: getattr(moment, name) - 2 * NS_PER_S for name in ("earliest", "latest", "time")})
        if moment.clock == "agent"
        else moment
        for moment in call()
    ]
    active = next(moment for moment in late if moment.kind is Kind.PARTICIPANT_ACTIVE and moment.subject == "PA_ada")
    at = call()[0].earliest - 3 * NS_PER_MS
    wrong = replace(active, earliest=at, latest=at, time=at, clock="server", witness="observer")
    moments = [moment for moment in late if (moment.kind, moment.subject) != (active.kind, active.subject)] + [wrong]
    made = as_json(fold(SID, moments, now=max(moment.latest for moment in moments)))
    assert made["orderings"]
    assert made["clocks"]

    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(f"{page}#room={SID}")
        await tab.until("document.querySelectorAll('.bar').length > 3")
        for name, what in (("broken", made["orderings"][0]["sentence"]), ("skew", made["clocks"][0]["sentence"])):
            said = await tab.run(f"[...document.querySelectorAll('.flag.{name} title')].map((one) => one.textContent)")
            assert any(what in one for one in said), (what, said)
            cards = await tab.run(f"[...document.querySelectorAll('.found .{name}')].map((one) => one.textContent)")
            assert any(what in one for one in cards)
        assert await tab.run("document.querySelectorAll('.plot path.broken').length") > 0
        # What is marked can be read by the keys alone.
        await tab.run("document.querySelector('.lanes').focus()")
        await tab.press("n")
        await tab.until("document.querySelector('.row[aria-selected=true]') !== null")

    in_browser(tmp_path / "t.db", look, moments)


@pytest.mark.parametrize(
    ("name", "until"), [("caller_hidden", "agent waiting for participant"), ("ok_two_callers", "")]
)
def test_an_agent_that_was_never_ready_is_not_said_to_have_been(tmp_path: Path, name: str, until: str) -> None:
    made = timelines(CALLS / f"{name}.jsonl.gz")[-1]

    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(f"{page}#room={made.room.sid}")
        head = await tab.until("document.querySelector('.budget h2')?.textContent")
        assert head.startswith("Where the time went: ")
        assert head.endswith(f" → {until}" if until else "until the agent was ready")

    in_browser(tmp_path / "t.db", look, [moment for step in made.steps for moment in step.moments])


def test_what_is_red_without_a_cause_is_a_problem_too(tmp_path: Path) -> None:
    made = timelines(CALLS / "ends_with_another_1_5.jsonl.gz")[-1]
    assert as_json(made)["causes"] == []

    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(f"{page}#room={made.room.sid}")
        await tab.until("document.querySelectorAll('.bar.failed').length > 0")
        await tab.run("document.querySelector('.lanes').focus()")
        await tab.press("n")
        chosen = await tab.until("document.querySelector('.row[aria-selected=true] .what')?.textContent")
        assert chosen.startswith("agent 1 left")

    in_browser(tmp_path / "t.db", look, [moment for step in made.steps for moment in step.moments])


def crowd(sid: str, many: int) -> list[Moment]:
    """A room in which so many joined."""
    now = time.time_ns()
    zero = now - 60 * NS_PER_S
    made = [
        Moment(sid, Kind.ROOM_CREATED, sid, zero, zero, zero, "server", "webhook", "", ((keys.ROOM_NAME, "crowd"),))
    ]
    for number in range(many):
        at = zero + number * 20 * NS_PER_MS
        facts: Any = ((keys.PARTICIPANT_IDENTITY, f"caller {number}"), (keys.PARTICIPANT_KIND, "STANDARD"))
        for kind, after in ((Kind.PARTICIPANT_JOINING, 0), (Kind.PARTICIPANT_ACTIVE, 90 * NS_PER_MS)):
            moment = at + after
            made.append(Moment(sid, kind, f"PA_{number}", moment, moment, moment, "server", "webhook", "", facts))
    return [*made, Moment(sid, Kind.ROOM_FINISHED, sid, now, now, now, "server", "webhook", "", ())]


def test_a_thousand_participants_are_drawn_within_a_second_and_pan_smoothly(tmp_path: Path) -> None:
    async def look(tab: Tab, _: Client, page: str) -> None:
        await tab.open(page)
        await tab.until("document.querySelector('.rooms .name a') !== null")
        await tab.run(
            "window.work = []; const draw = Tracer.Chart.prototype.draw; Tracer.Chart.prototype.draw = function () {"
            " const began = performance.now(); draw.call(this); if (!this.room) return; window.chart = this;"
            " work.push(performance.now() - began); }; location.hash = 'room=RM_crowd'"
        )
        await tab.until("document.querySelectorAll('.bar').length > 10")
        assert await tab.run("work.at(-1)") < 1000
        assert await tab.run("chart.room.lanes.length") > 1000
        frames = await tab.run(
            "new Promise((done) => { chart.zoomBy(8); work.length = 0; const step = () => {"
            " chart.panBy(work.length % 2 ? 30 : -30); if (work.length < 40) requestAnimationFrame(step);"
            " else done(work.sort((a, b) => a - b)); }; step(); })"
        )
        assert await tab.run("chart.scroll.clientWidth") > 0, "what is not shown is not drawn"
        assert frames[len(frames) // 2] < 1000 / 60, "half of the frames take longer than a frame has"

    in_browser(tmp_path / "t.db", look, crowd("RM_crowd", 1000))
