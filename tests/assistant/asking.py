"""A client that asks, and what every answer must keep to."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from mcp import Client, StdioServerParameters

from tests.receiving import LIMIT
from tracer.assistant.answer import MOST_TOKENS, tokens
from tracer.assistant.connection import Connection
from tracer.assistant.doctor import Doctor
from tracer.assistant.http import app
from tracer.assistant.outside import Outside
from tracer.assistant.pseudonyms import Pseudonyms
from tracer.assistant.reading import Rooms, Source
from tracer.assistant.server import server
from tracer.local_servers import child_environment
from tracer.service.replay import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from mcp_types import CallToolResult

STARTS = 12 * LIMIT
"""Seconds in which a process answers for the first time, on a machine that is busy with other tests."""


NONE = Doctor("none")


def said(result: CallToolResult) -> tuple[str, dict[str, Any]]:
    """Text and structured content of an answer that is none of an error, and within its bound."""
    text, content = told(result)
    assert result.is_error is not True, text
    return text, content


def told(result: CallToolResult) -> tuple[str, dict[str, Any]]:
    """Text and structured content of an answer, within its bound."""
    [text] = result.content
    assert text.type == "text"
    content = result.structured_content
    assert content is not None
    assert tokens(text.text) + tokens(json.dumps(content, ensure_ascii=False)) <= MOST_TOKENS
    return text.text, content


def ask(rooms: Rooms, tool: str, **arguments: Any) -> CallToolResult:
    """One question to a server in this process, through the protocol."""

    async def asking() -> CallToolResult:
        async with Client(server(rooms, Doctor("none"))) as client:
            return await client.call_tool(tool, arguments)

    return asyncio.run(asking())


@contextmanager
def recorded(*paths: Path) -> Iterator[Rooms]:
    """The rooms of recordings, in full."""
    with ExitStack() as stack:
        yield Rooms(tuple(Source(recording=stack.enter_context(opened(path))) for path in paths), Outside(None))


async def first_causes(client: Client) -> dict[str, str | None]:
    """What a client that was told nothing finds: it asks for the rooms, and then why of each; by SID."""
    found: dict[str, str | None] = {}
    more = True
    while more:
        _, listed = said(await client.call_tool("rooms", {"after": len(found)}))
        for room in listed["rooms"]:
            _, why = said(await client.call_tool("why", {"room": room["room"]}))
            found[room["room"]] = next((one["cause"] for one in why.get("causes", []) if "cause" in one), None)
        more = "more" in listed
    return found


async def first_causes_in(store: Path) -> dict[str, str | None]:
    """What such a client finds in a store over HTTP, by SID; one over standard input and output finds the same."""
    async with over_socket(Rooms((Source(str(store)),), Outside(Pseudonyms(b"k" * 32)))) as client:
        over_http = await first_causes(client)
    async with over_stdio(store.parent, TRACER_STORE=str(store)) as client:
        assert await first_causes(client) == over_http
    return over_http


@asynccontextmanager
async def over_socket(rooms: Rooms, doctor: Doctor = NONE) -> AsyncIterator[Client]:
    """A client that reaches a server in this process over HTTP."""
    asked = app(server(rooms, doctor), "", "127.0.0.1")
    serving = uvicorn.Server(uvicorn.Config(asked, port=0, log_config=None, http=Connection))
    running = asyncio.create_task(serving.serve())
    try:
        async with asyncio.timeout(LIMIT):
            while not serving.started:  # noqa: ASYNC110  nothing tells
                await asyncio.sleep(0.01)
        port = serving.servers[0].sockets[0].getsockname()[1]
        async with Client(f"http://127.0.0.1:{port}/mcp", read_timeout_seconds=STARTS) as client:
            yield client
    finally:
        serving.should_exit = True
        await running


@asynccontextmanager
async def over_stdio(folder: Path, *arguments: str | Path, **environment: str) -> AsyncIterator[Client]:
    """A client of `tracer mcp` in a process of its own, which has nothing of ours in its environment."""
    variables = child_environment(XDG_STATE_HOME=str(folder / "state"), **environment)
    started = StdioServerParameters(
        command=sys.executable, args=["-m", "tracer", "mcp", *map(str, arguments)], env=variables, cwd=folder
    )
    async with Client(started, read_timeout_seconds=STARTS) as client:
        yield client
