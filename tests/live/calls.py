"""A call for a test: one caller, and waiting until it is over."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from livekit.api import (
    ListParticipantsRequest,
    ListRoomsRequest,
    LiveKitAPI,
    TwirpError,
)
from livekit.protocol.models import ParticipantInfo

from tracer.demo.tokens import caller_token
from tracer.errors import UnknownRoomError
from tracer.moment import Kind
from tracer.timeline.entities import Dispatch, Participant
from tracer.timeline.precedence import must_precede

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from livekit.protocol.agent_dispatch import AgentDispatch
    from livekit.protocol.models import Room

    from tracer.demo.stage import Stage
    from tracer.settings import LiveKit
    from tracer.timeline.timeline import Timeline

LIMIT = 60.0


@dataclass
class Told:
    """What the server's API said while the call went on."""

    rooms: dict[str, Room] = field(default_factory=dict)
    participants: dict[str, ParticipantInfo] = field(default_factory=dict)
    dispatches: dict[str, AgentDispatch] = field(default_factory=dict)


async def _ask(server: LiveKit, room: str, told: Told, over: threading.Event) -> None:
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        while not over.is_set():
            rooms = (await livekit.room.list_rooms(ListRoomsRequest(names=[room]))).rooms
            told.rooms |= {one.sid: one for one in rooms}
            if rooms:
                try:
                    listed = await livekit.room.list_participants(ListParticipantsRequest(room=room))
                    told.participants |= {who.sid: who for who in listed.participants}
                    told.dispatches |= {d.id: d for d in await livekit.agent_dispatch.list_dispatch(room)}
                except TwirpError:  # the room closed in between
                    pass
            await asyncio.sleep(0.1)


@contextmanager
def asking(server: LiveKit, room: str) -> Iterator[Told]:
    """Keep asking the server's API of a room of this name."""
    told, over = Told(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_ask(server, room, told, over)), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join(LIMIT)


def hold_against(told: Told, timeline: Timeline) -> None:
    """What the timeline says is what the API said, to the last digit the API gives."""
    room = told.rooms[timeline.room.sid]
    created = timeline.room.created
    assert created
    assert created.earliest // 1_000_000 == room.creation_time_ms
    for sid, who in told.participants.items():
        participant = timeline.by_sid[sid]
        assert isinstance(participant, Participant)
        joining = participant.at(Kind.PARTICIPANT_JOINING)
        assert joining
        assert joining.earliest // 1_000_000 == who.joined_at_ms
        assert participant.identity == who.identity
        assert participant.kind == ParticipantInfo.Kind.Name(who.kind)
    for sid, dispatch in told.dispatches.items():
        seen = timeline.by_sid[sid]
        assert isinstance(seen, Dispatch)
        assert seen.time(Kind.DISPATCH_CREATED) == dispatch.state.created_at
        assert seen.agent_name == dispatch.agent_name
        for job in dispatch.state.jobs:
            assert job.id in seen.jobs
            assert timeline.by_sid[job.id].time(Kind.JOB_OFFERED) == job.state.started_at
    for cause, effect in must_precede(timeline.steps):
        assert cause.earliest <= effect.latest, (cause, effect)
    assert not [step for step in timeline.steps if step.contradicted]


def wait_for(condition: Callable[[], bool], what: str, limit: float = LIMIT) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"not {what} within {limit} s"
        time.sleep(0.1)


def call(stage: Stage, server: LiveKit, room: str, seconds: float, identity: str = "ada", **attributes: str) -> None:
    """Someone calls for so many seconds; returns when they have left."""
    token = caller_token(server, room, identity, attributes=attributes)
    caller = stage.caller(identity, server.url, token, seconds)
    assert caller.wait(seconds + LIMIT), "the caller did not leave"
    assert caller.returncode == 0, caller.last_lines(5)


def is_over(stage: Stage, room: str, began: int) -> bool:
    """Whether the room that was made after ``began``, ns, has finished, and its jobs with it."""
    try:
        timeline = stage.timeline(room)
    except UnknownRoomError:
        return False
    ended = timeline.jobs and all(job.at(Kind.JOB_ENDED) for job in timeline.jobs)
    return bool(timeline.zero >= began and timeline.room.finished and ended)
