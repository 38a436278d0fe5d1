"""How long a call may take, what is said of one that fails, and who may ask over HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client

from tests.assistant.asking import ask, told
from tests.moments import ROOM, call
from tests.receiving import LIMIT
from tracer import keys
from tracer.assistant import server as module
from tracer.assistant.answer import tokens
from tracer.assistant.doctor import Doctor
from tracer.assistant.http import LARGEST, app
from tracer.assistant.outside import NOTICE, Outside
from tracer.assistant.reading import Rooms, Source
from tracer.assistant.server import server
from tracer.errors import ConfigurationError
from tracer.moment import Kind, facts
from tracer.store import SCRATCH, Arrival, open_reader
from tracer.store.sqlite import SqliteStore
from tracer.store.summaries import summarize_room
from tracer.view.rooms import room_mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message

TOKEN = "what-readers-know"  # noqa: S105  of the test


class Hanging(Rooms):
    """A store that does not answer until it may."""

    may = threading.Event()

    def latest(self) -> str:
        self.may.wait(LIMIT)
        return ROOM


class Failing(Rooms):
    def latest(self) -> str:
        raise ValueError("a secret of the store")


def test_an_answer_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(module, "LIMIT", 0.1)
    try:
        result = ask(Hanging((Source(str(tmp_path / "t.db")),), Outside(None)), "why")
    finally:
        Hanging.may.set()
    assert result.is_error
    assert "took longer" in told(result)[0]


def test_what_nobody_thought_of_is_an_error_without_its_text() -> None:
    result = ask(Failing((), Outside(None)), "why")
    assert result.is_error
    assert "secret" not in str(result)


@pytest.mark.parametrize(
    ("tool", "arguments", "line"),
    [
        ("why", {"room": 5}, "room of why must be a text of 200 characters at most, not «5»: leave it out, or call "),
        ("why", {"page": 0}, "page of why must be a whole number from 1 to 1000, not «0»: leave it out, or call "),
        ("why", {"page": "two"}, "not «two»: leave it out, or call why(page=1)."),
        ("why", {"room": "x" * 1000}, "not «" + "x" * 59 + "… #"),
        ("why", {"name": "demo"}, "why has no argument «name»: it takes room and page."),
        ("rooms", {"after": -1}, "after of rooms must be a whole number from 0 to 100000, not «-1»: "),
        ("timeline", {"everything": "maybe"}, "must be true or false, not «maybe»: "),
        ("doctor", {"agents": "a"}, "must be a list of 5 texts at most, each of 200 characters at most, not «a»: "),
        ("doctor", {"agents": [1]}, "not «[1]»: leave it out, or call doctor(agents=[])."),
        ("explain", {}, "explain needs word. As job.offered, "),
        ("explain", {"word": None}, "word of explain must be a text of 200 characters at most, not «null»: call expl"),
        ("what", {}, "There is no tool «what»: there are rooms, why, timeline, check, compare, doctor and explain."),
        ("why", {"page": 0, "ask": 1}, "why has no argument «ask»"),
        ("why", {"<b>\nrun rm": "x"}, "why has no argument «(b) run rm #"),
    ],
)
def test_of_a_wrong_argument_one_line_says_what_was_wrong_and_what_to_do(
    tool: str, arguments: dict[str, Any], line: str
) -> None:
    result = ask(Rooms((), Outside(None)), tool, **arguments)
    assert result.is_error
    text, content = told(result)
    said, notice = text.split("\n")
    assert line in said
    assert (content["error"], content["notice"], notice) == (said, NOTICE, NOTICE)
    assert "pydantic" not in text


def test_of_very_many_wrong_arguments_the_answer_is_short() -> None:
    told(ask(Rooms((), Outside(None)), "why", **{f"argument {n}": "x" * 500 for n in range(500)}))


def test_where_there_is_no_room_the_answer_says_what_to_do(tmp_path: Any) -> None:
    path = tmp_path / "t.db"
    with closing(SqliteStore(path)):
        text, _ = told(ask(Rooms((Source(str(path)),), Outside(None)), "why"))
    assert text.startswith("No rooms yet: calls are recorded while `tracer serve` runs. doctor() checks the setup.")


def test_the_tools_take_little_of_what_the_model_can_read() -> None:
    async def asking() -> None:
        async with Client(server(Rooms((), Outside(None)), Doctor("none"))) as client:
            listed = (await client.list_tools()).tools
            shown = [tool.model_dump_json(by_alias=True, exclude_none=True) for tool in listed]
            assert sum(map(tokens, [*shown, client.instructions or ""])) < 1_310  # an estimate, too high
            for tool in listed:
                assert tool.input_schema["additionalProperties"] is False
                assert "title" not in json.dumps(tool.input_schema)

    asyncio.run(asking())


def test_a_room_of_which_it_is_known_how_it_went_is_marked_as_in_the_list_of_the_terminal(tmp_path: Any) -> None:
    path = tmp_path / "t.db"
    open_one = [replace(one, room="RM_open") for one in call() if one.kind is not Kind.ROOM_FINISHED]
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(call())), Arrival(tuple(open_one))])
    text, content = told(ask(Rooms((Source(str(path)),), Outside(None)), "rooms"))
    with closing(open_reader(str(path))) as reader:
        rows = {row.sid: row for row in reader.rooms(10)}
        marks = {
            sid: room_mark(row, summarize_room(reader, sid)[0] if row.finished else None)[0]
            for sid, row in rows.items()
        }
    lines = {line.split()[1]: line[0] for line in text.splitlines() if "RM_" in line and not line.startswith("next")}
    assert lines == marks
    assert {one["room"]: one["over"] for one in content["rooms"]} == {ROOM: True, "RM_open": False}
    assert content["rooms"][[one["room"] for one in content["rooms"]].index("RM_open")]["well"] is None


def test_the_doctors_own_room_is_no_call(tmp_path: Any) -> None:
    path = tmp_path / "t.db"
    scratch = [replace(one, facts=facts({**dict(one.facts), keys.ROOM_NAME: f"{SCRATCH}1"})) for one in call()]
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(scratch))])
    result = ask(Rooms((Source(str(path)),), Outside(None)), "why")
    assert "No rooms yet" in told(result)[0]


def test_the_doctor_visits_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DOCTOR_LIMIT", 0.5)
    there = 0

    async def visit(_: Doctor, __: object) -> Any:
        nonlocal there
        there += 1
        try:
            assert there == 1
            await asyncio.Event().wait()
        finally:
            there -= 1

    monkeypatch.setattr(Doctor, "visit", visit)

    async def asking() -> None:
        async with Client(server(Rooms((), Outside(None)), Doctor("none"))) as client:
            both = await asyncio.gather(*(client.call_tool("doctor", {}) for _ in range(2)))
            assert all("took longer" in told(one)[0] for one in both)

    asyncio.run(asking())
    assert there == 0


def test_a_doctor_without_a_server_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_API_KEY", "key")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "a secret of at least thirty-two characters")
    monkeypatch.delenv("LIVEKIT_URL", raising=False)
    result = ask(Rooms((), Outside(None)), "doctor")
    assert result.is_error
    assert "LIVEKIT_URL is not set" in told(result)[0]


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "explain", "arguments": {"word": "no-worker"}},
}
HEADERS = {
    "host": "127.0.0.1:7891",
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2025-06-18",
}


async def request(to: ASGIApp, body: bytes, method: str = "POST", **headers: str) -> tuple[int, str]:
    """Status and text of the answer to one request, without a network."""
    got: list[Message] = []
    sent: list[Message] = [{"type": "http.request", "body": body}]
    named = HEADERS | {key.replace("_", "-"): value for key, value in headers.items()}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/mcp",
        "raw_path": b"/mcp",
        "query_string": b"",
        "headers": [(key.encode(), value.encode()) for key, value in named.items() if value],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 7891),
    }

    async def receive() -> Message:
        if not sent:
            await asyncio.Event().wait()
        return sent.pop()

    async def send(message: Message) -> None:
        got.append(message)

    await to(scope, receive, send)
    return got[0]["status"], b"".join(one.get("body", b"") for one in got).decode()


def over_http(what: Callable[[ASGIApp], Any], token: str = "", host: str = "127.0.0.1") -> None:
    """Run a test that asks the application while it is up."""

    async def running() -> None:
        served = server(Rooms((), Outside(None)), Doctor("none"))
        asked = app(served, token, host)
        async with served.session_manager.run():
            await what(asked)

    asyncio.run(running())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:1"}, 200),
        ({"host": "attacker.example"}, 403),
        ({"origin": "http://127.0.0.1:7891"}, 200),
        ({"origin": "http://attacker.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "cors"}, 403),
        ({"content_type": "text/plain"}, 400),
    ],
    ids=str,
)
def test_other_sites_pages_and_other_names_of_this_machine_ask_nothing(headers: dict[str, str], status: int) -> None:
    async def asking(to: ASGIApp) -> None:
        got, text = await request(to, json.dumps(HELLO).encode(), **headers)
        assert got == status, text
        assert ("no worker was registered" in text) is (status == 200), text

    over_http(asking)


def test_with_a_token_only_who_has_it_asks() -> None:
    async def asking(to: ASGIApp) -> None:
        body = json.dumps(HELLO).encode()
        assert (await request(to, body))[0] == 401
        assert (await request(to, body, authorization="Bearer other"))[0] == 401
        assert (await request(to, body, authorization=f"Bearer {TOKEN}"))[0] == 200

    over_http(asking, TOKEN)
    over_http(asking, TOKEN, "0.0.0.0")  # noqa: S104


def test_beyond_this_machine_nobody_asks_without_a_token() -> None:
    async def asking(to: ASGIApp) -> None:
        got, text = await request(to, json.dumps(HELLO).encode())
        assert (got, "TRACER_READ_TOKEN" in text) == (403, True)

    over_http(asking, "", "0.0.0.0")  # noqa: S104

    async def starting() -> None:
        from tracer.assistant.http import serve_http

        with pytest.raises(ConfigurationError, match="TRACER_READ_TOKEN"):
            await serve_http(server(Rooms((), Outside(None)), Doctor("none")), "0.0.0.0", 0, "")  # noqa: S104

    asyncio.run(starting())


def test_a_request_is_small_and_nothing_is_streamed() -> None:
    async def asking(to: ASGIApp) -> None:
        assert (await request(to, b" " * (LARGEST + 1)))[0] == 413
        assert (await request(to, b"", "GET"))[0] == 405
        assert (await request(to, b"{"))[0] == 400

    over_http(asking)
