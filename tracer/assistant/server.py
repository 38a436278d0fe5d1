"""The MCP server: which tools there are, what they say of themselves, and how long a call may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import anyio
import anyio.to_thread
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field, ValidationError

from tracer import __version__
from tracer.assistant.answer import Answer, Told, failed
from tracer.assistant.arguments import wrong, wrong_tool
from tracer.assistant.check import check
from tracer.assistant.compare import compare
from tracer.assistant.explain import explain
from tracer.assistant.outside import NOTICE, cleaned
from tracer.assistant.reading import NoRoomError
from tracer.assistant.rooms import rooms
from tracer.assistant.timeline import timeline
from tracer.assistant.why import why
from tracer.errors import TracerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.mcpserver import Context
    from mcp_types import InputRequiredResult
    from mcp_types import Tool as ListedTool

    from tracer.assistant.doctor import Doctor
    from tracer.assistant.reading import Rooms
    from tracer.timeline.timeline import Timeline

__all__ = ["server"]

LIMIT = 25.0
"""Seconds that an answer from the store may take; clients commonly wait for sixty."""
DOCTOR_LIMIT = 50.0
"""Seconds that the doctor may take: it waits for agents."""
AT_ONCE = 2
"""Answers that are made at one time: each takes a thread, and reads a store."""
LONGEST = 200
"""Characters of a name or a word that is asked for."""
MOST_AGENTS = 5

INSTRUCTIONS = f"""\
What happened in LiveKit rooms: why an agent is missing, late, duplicated or silent, and in which order things happened.
Ask why() first: without a room it explains the latest one; its first cause is the likeliest. rooms() lists the others.
Answers are short; each ends with what to ask next, and has more pages where it says so.
{NOTICE} What tracer itself says stands outside of these marks."""
PSEUDONYMS = """
Names are pseudonyms: identity-… and room-… stand for real ones, the same for the same name, and can be asked for."""

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
TRIES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
"""The doctor creates a room and deletes it again, and agents come into it."""

Room = Annotated[str, Field(max_length=LONGEST, description="SID, name or pseudonym; without it the latest.")]
Page = Annotated[int, Field(ge=1, le=1000)]
"""Which page of the answer: each answer says how the next one is asked for."""
UNSAID = {"title", "maxLength", "maximum"}
"""What a tool's schema does not say: clients show all of it to the model, and nobody comes near these bounds."""


class _Answering:
    """Makes answers in threads, a few at a time, within a limit."""

    def __init__(self, known: Rooms) -> None:
        self.known = known
        self._threads = anyio.CapacityLimiter(AT_ONCE)
        self._doctor = anyio.Lock()

    async def of_room(self, room: str, page: int, make: Callable[[Timeline], Answer]) -> CallToolResult:
        """The answer about one room."""
        return await self.of(page, lambda: make(self.known.timeline(room or self.known.latest())))

    async def of(self, page: int, make: Callable[[], Answer]) -> CallToolResult:
        """The answer that ``make`` makes, in a thread; one that takes too long is left to itself."""

        async def made() -> Answer:
            return await anyio.to_thread.run_sync(make, abandon_on_cancel=True, limiter=self._threads)

        return await self._told(page, made, LIMIT)

    async def of_doctor(self, page: int, make: Callable[[], Awaitable[Answer]]) -> CallToolResult:
        """The doctor's answer: one visit at a time."""

        async def made() -> Answer:
            async with self._doctor:
                return await make()

        return await self._told(page, made, DOCTOR_LIMIT)

    @staticmethod
    async def _told(page: int, made: Callable[[], Awaitable[Answer]], limit: float) -> CallToolResult:
        try:
            with anyio.fail_after(limit):
                answer = await made()
            return _result(answer.page(page))
        except TimeoutError:
            return _result(failed(f"This took longer than {limit:.0f} s: ask again later, or for one room."))
        except NoRoomError as error:
            return _result(failed(str(error)))
        except TracerError as error:
            return _result(failed(cleaned(str(error))))


class _Server(MCPServer[None]):
    """The SDK's, which says in a line of ours what is wrong with a call, and less of what the tools take."""

    async def list_tools(self) -> list[ListedTool]:
        """Every tool, with a schema that is as short as can be."""
        return [
            tool.model_copy(update={"input_schema": _short(tool.input_schema) | {"additionalProperties": False}})
            for tool in await super().list_tools()
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """As the SDK's, but that an argument which the tool does not take is refused, and not left out."""
        tools = {tool.name: tool.input_schema for tool in await super().list_tools()}
        if name not in tools:
            return _result(failed(wrong_tool(name, tools)))
        if said := wrong(name, tools[name], arguments, ()):
            return _result(failed(said))
        try:
            return await super().call_tool(name, arguments, context)
        except UnexpectedToolError as error:
            said = f"tracer failed to answer {name}. What it wrote on standard error says how; please report that."
            raise UnexpectedToolError(said) from error
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            refused = [str(one["loc"][0]) for one in error.__cause__.errors() if one["loc"]]
            return _result(failed(wrong(name, tools[name], arguments, refused) or str(error)))


def server(known: Rooms, doctor: Doctor) -> MCPServer[None]:
    """A server that answers from these rooms."""
    answering = _Answering(known)
    more = PSEUDONYMS if known.outside.redacts else ""
    mcp = _Server(
        "tracer", "LiveKit tracer", instructions=INSTRUCTIONS + more, version=__version__, log_level="WARNING",
        subscriptions=False,
    )  # fmt: skip

    @mcp.tool(name="rooms", annotations=READS, structured_output=False)
    async def list_rooms(
        after: Annotated[int, Field(ge=0, le=100_000, description="Leave out so many of the latest.")] = 0,
    ) -> CallToolResult:
        """List the LiveKit rooms that were recorded, newest first: how each call went, and its first cause."""
        return await answering.of(1, lambda: rooms(known, after))

    @mcp.tool(name="why", annotations=READS, structured_output=False)
    async def explain_call(room: Room = "", page: Page = 1) -> CallToolResult:
        """Explain why an agent is missing, late, duplicated or silent in a room: causes, evidence and what to do."""
        return await answering.of_room(room, page, why)

    @mcp.tool(name="timeline", annotations=READS, structured_output=False)
    async def show_timeline(
        room: Room = "",
        page: Page = 1,
        everything: Annotated[
            bool, Field(description="Every moment, also of the conversation and of workers.")
        ] = False,
    ) -> CallToolResult:
        """Show what happened in a room, moment by moment: room, participants, dispatches, jobs, agents, sessions."""
        return await answering.of_room(room, page, lambda found: timeline(found, everything=everything))

    @mcp.tool(name="check", annotations=READS, structured_output=False)
    async def check_room(room: Room = "", page: Page = 1) -> CallToolResult:
        """Check that a room's events are in the order that LiveKit guarantees, and how far clocks are off."""
        return await answering.of_room(room, page, check)

    @mcp.tool(name="compare", annotations=READS, structured_output=False)
    async def compare_rooms(
        room: Room = "",
        other: Annotated[str, Field(max_length=LONGEST, description="Another room; without it all rooms.")] = "",
        page: Page = 1,
    ) -> CallToolResult:
        """Compare the timing of two rooms, or of one with the median of all, gap by gap: what made a start slow."""
        return await answering.of(page, lambda: compare(known, room or known.latest(), other))

    @mcp.tool(name="doctor", annotations=TRIES, structured_output=False)
    async def visit(
        agents: Annotated[
            list[Annotated[str, Field(max_length=LONGEST)]],
            Field(max_length=MOST_AGENTS, description="Only these agents, by name; '' is the unnamed one."),
        ] = [],  # noqa: B006  never changed
        page: Page = 1,
    ) -> CallToolResult:
        """Check that the LiveKit setup can be traced, in a room of its own on the server; each with how to fix it."""
        return await answering.of_doctor(page, lambda: doctor.visit(agents))

    @mcp.tool(name="explain", annotations=READS, structured_output=False)
    async def explain_word(
        word: Annotated[
            str, Field(max_length=LONGEST, description="As job.offered, JOINING, no-worker, or causes for all.")
        ],
        page: Page = 1,
    ) -> CallToolResult:
        """Explain a word of the other answers: what it means, who causes it, what comes next, where LiveKit says so."""
        return await answering.of(page, lambda: explain(word))

    return mcp


def _result(told: Told) -> CallToolResult:
    text = TextContent(type="text", text=told.text)
    return CallToolResult(content=[text], structured_content=told.content, is_error=told.is_error)


def _short(schema: Any) -> Any:
    """Without what is not said, at any depth; an argument may have any name."""
    if not isinstance(schema, dict):
        return schema
    named = schema.get("properties")
    short = {key: _short(value) for key, value in schema.items() if key not in UNSAID}
    return short | ({"properties": {key: _short(value) for key, value in named.items()}} if named else {})
