"""Each recorded call, asked about by a client that was told nothing: two calls lead to what really happened."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mcp import Client

from tests.assistant.asking import recorded, said
from tests.calls.expected import EXPECTED
from tracer.assistant.doctor import Doctor
from tracer.assistant.server import server
from tracer.service.replay import timelines

if TYPE_CHECKING:
    from tracer.assistant.reading import Rooms

FOLDER = Path(__file__).parents[1] / "calls"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_two_calls_lead_to_what_happened(name: str) -> None:
    """In full: the marks around what others wrote change nothing. Redacted, test_clients.py has them all."""
    right = {
        made.room.sid: one for made, one in zip(timelines(FOLDER / f"{name}.jsonl.gz"), EXPECTED[name], strict=True)
    }

    async def asking(rooms: Rooms) -> None:
        async with Client(server(rooms, Doctor("none"))) as client:
            _, listed = said(await client.call_tool("rooms", {}))
            assert {room["room"] for room in listed["rooms"]} == set(right)
            for room in listed["rooms"]:
                expected = right[room["room"]]
                text, why = said(await client.call_tool("why", {"room": room["room"]}))
                causes = [one["cause"] for one in why.get("causes", []) if "cause" in one]
                assert causes[:1] == ([expected.cause] if expected.cause else []), text
                assert (why["well"] is True) is expected.well, text
                assert not set(causes) & set(expected.never), text
                assert expected.cause is None or f"1. {expected.cause}" in text
                without_marks = re.sub("[«»]", "", text).replace("\n", " ")
                unnamed = re.sub(r"\bagent (\d)", r"agent-\1", without_marks)  # as the sentence has it before
                assert re.search(expected.says, unnamed, re.IGNORECASE), text

    with recorded(FOLDER / f"{name}.jsonl.gz") as rooms:
        asyncio.run(asking(rooms))
