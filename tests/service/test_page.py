"""The page's endpoints, as a browser and as strangers ask them."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.moments import call
from tests.receiving import Client, talk, until
from tests.signed import EVENTS
from tracer import keys
from tracer.moment import facts
from tracer.service.page import MOST_LISTENERS, Page, PageOptions
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.view.page.files import CONTENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    import aiohttp

    from tracer.moment import Moment

TOKEN = "what-readers-know"  # noqa: S105  of the test

ANOTHER = {**EVENTS[0], "id": "EV_another", "room": {**EVENTS[0]["room"], "sid": "RM_another"}}
"""A webhook of a room that the store does not have."""


def show(path: Path, what: Callable[[Client], Awaitable[None]], moments: Iterable[Moment] = (), **options: Any) -> None:
    """Run a test that talks to a receiver with a page of a recorded call."""
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(moments) or tuple(call()))])
    talk(path, what, page=Page(str(path), PageOptions(**options)))


async def answer(client: Client, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    async with client.session.get(path, headers=named) as got:
        return got.status, await got.text(), dict(got.headers)


def test_the_page_runs_nothing_but_its_own_files(tmp_path: Path) -> None:
    async def talking(client: Client) -> None:
        status, text, headers = await answer(client, "/")
        assert status == 200
        assert "<script defer src=" in text
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        for name in CONTENT_TYPES:
            assert (await answer(client, f"/page/{name}"))[0] == 200
        for other in ("/page/d3.LICENSE", "/page/..%2Ffiles.py", "/page/index.html"):
            assert (await answer(client, other))[0] in (200, 404)
        assert (await answer(client, "/page/..%2Ffiles.py"))[0] == 404

    show(tmp_path / "t.db", talking)


def test_it_lists_rooms_and_shows_one(tmp_path: Path) -> None:
    async def talking(client: Client) -> None:
        found = json.loads((await client.get("/api/rooms"))[1])
        assert found["schema"] == "tracer.rooms/1"
        (room,) = found["rooms"]
        shown = json.loads((await client.get(f"/api/rooms/{room['sid']}"))[1])
        assert shown["schema"] == "tracer.page/1"
        assert shown["room"]["name"] == room["name"]
        assert (await answer(client, f"/api/rooms/{room['sid']}", Accept_Encoding="gzip"))[2][
            "Content-Encoding"
        ] == "gzip"
        assert (
            "Content-Encoding" not in (await answer(client, f"/api/rooms/{room['sid']}", Accept_Encoding="identity"))[2]
        )
        assert {row["lane"] for row in shown["rows"]} - {None} <= {lane["id"] for lane in shown["lanes"]}
        assert (await client.get("/api/rooms/RM_none"))[0] == 404
        assert json.loads((await client.get("/api/rooms?search=nobody-has-this"))[1])["rooms"] == []
        assert json.loads((await client.get("/api/rooms?search=&after=1"))[1])["rooms"] == []

    show(tmp_path / "t.db", talking)


def test_no_name_can_turn_round_what_stands_beside_it(tmp_path: Path) -> None:
    name = "gnp.\u202eexe\x1b[31m"
    moments = [replace(one, facts=facts({**dict(one.facts), keys.ROOM_NAME: name})) for one in call()]

    async def talking(client: Client) -> None:
        (room,) = json.loads((await client.get("/api/rooms"))[1])["rooms"]
        shown = (await client.get(f"/api/rooms/{room['sid']}"))[1]
        assert room["name"] == json.loads(shown)["room"]["name"] == "gnp.‹202e›exe‹1b›[31m"  # noqa: RUF001

    show(tmp_path / "t.db", talking, moments)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "attacker.example"}, 403),
        ({"Origin": "http://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "cors"}, 403),
        ({"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "cors"}, 200),
        ({"Host": "localhost:1"}, 200),
    ],
)
def test_other_sites_pages_read_nothing(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async def talking(client: Client) -> None:
        for path in ("/api/rooms", "/api/rooms/RM_1", "/api/changes", "/page/page.js"):
            got, text, _ = (
                await answer(client, path, **headers) if path != "/api/changes" or status != 200 else (200, "", {})
            )
            assert got in ((status, 404) if status == 200 else (status,)), (path, text)

    show(tmp_path / "t.db", talking)


def test_with_a_token_only_who_has_it_reads(tmp_path: Path) -> None:
    async def talking(client: Client) -> None:
        assert (await client.get("/"))[0] == 200, "the page itself, which asks for it, has nothing in it"
        for path in ("/api/rooms", "/api/rooms/RM_1", "/api/changes"):
            assert (await client.get(path))[0] == 401
            assert (await answer(client, f"{path}?token={TOKEN}"))[0] == 401, "an address is logged on its way"
            assert (await answer(client, path, Authorization="Bearer other"))[0] == 401
        assert (await answer(client, "/api/rooms", Authorization=f"Bearer {TOKEN}"))[0] == 200

    show(tmp_path / "t.db", talking, token=TOKEN)


def test_beyond_this_machine_nothing_is_read_without_a_token(tmp_path: Path) -> None:
    async def talking(client: Client) -> None:
        assert client.receiver.page
        client.receiver.page.host = "0.0.0.0"  # noqa: S104
        status, text, _ = await answer(client, "/api/rooms")
        assert (status, "TRACER_READ_TOKEN" in text) == (403, True)

    show(tmp_path / "t.db", talking)


def test_with_redaction_nobody_is_named_and_none_is_found_by_a_name(tmp_path: Path) -> None:
    async def talking(client: Client) -> None:
        listed = (await client.get("/api/rooms"))[1]
        (room,) = json.loads(listed)["rooms"]
        shown = (await client.get(f"/api/rooms/{room['sid']}"))[1]
        names = {value for moment in call() for key, value in moment.facts if keys.is_personal(key)}
        assert names
        assert [name for name in names if f'"{name}"' in listed + shown] == []
        assert json.loads((await client.get("/api/rooms?search=ada"))[1])["rooms"] == []

    show(tmp_path / "t.db", talking, redact=True)


def test_whoever_listens_is_told_soon_after_a_commit(tmp_path: Path) -> None:
    async def talking(client: Client) -> None:
        async with client.session.get("/api/changes") as listening:
            await told(listening)  # how it is now
            began = time.monotonic()
            assert await client.webhook(ANOTHER) == 200
            await told(listening)
            assert time.monotonic() - began < 0.5

    async def told(listening: aiohttp.ClientResponse) -> dict[str, Any]:
        while not (line := await listening.content.readline()).startswith(b"data: "):
            assert line
        found: dict[str, Any] = json.loads(line[6:])
        return found

    show(tmp_path / "t.db", talking)


def test_so_many_may_listen_and_when_it_stops_all_are_let_go(tmp_path: Path) -> None:
    async def talking(client: Client) -> None:
        page = client.receiver.page
        assert page
        page._listeners["RM_other"] = MOST_LISTENERS - 1
        async with client.session.get("/api/changes") as listening:
            assert listening.status == 200
            assert (await client.get("/api/changes"))[0] == 503
            began = time.monotonic()
            await client.receiver.stop()
            await listening.read()
            assert time.monotonic() - began < 1.0
        page._listeners.clear()

    show(tmp_path / "t.db", talking)


def test_who_hangs_up_listens_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is written to a connection that has just been closed tells nothing yet: the next line does.
    monkeypatch.setattr("tracer.service.page.BEATS_EVERY", 0.1)

    async def talking(client: Client) -> None:
        page = client.receiver.page
        assert page
        async with client.session.get("/api/changes?room=RM_1") as listening:
            await until(lambda: page._listeners.total() == 1)
            listening.close()
        await client.webhook(ANOTHER)
        await until(lambda: not page._listeners.total())

    show(tmp_path / "t.db", talking)
