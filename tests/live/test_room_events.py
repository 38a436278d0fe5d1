"""What changes during a call: an attribute, a muted track, audio that is turned off; each with its time."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from livekit.api import ListParticipantsRequest, LiveKitAPI, MuteRoomTrackRequest, UpdateParticipantRequest

from tests.live import calls
from tests.live.calls import LIMIT, wait_for
from tests.live.test_instrument import worker
from tracer import keys
from tracer.demo.stage import Stage
from tracer.errors import UnknownRoomError
from tracer.moment import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.local_servers import LiveKitServer
    from tracer.settings import LiveKit
    from tracer.timeline.step import Step

ROOM = "changes"


async def change(server: LiveKit, **attributes: str) -> None:
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        await livekit.room.update_participant(
            UpdateParticipantRequest(room=ROOM, identity="ada", attributes=attributes)
        )


async def mute(server: LiveKit) -> None:
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        listed = await livekit.room.list_participants(ListParticipantsRequest(room=ROOM))
        (track,) = next(who for who in listed.participants if who.identity == "ada").tracks
        await livekit.room.mute_published_track(
            MuteRoomTrackRequest(room=ROOM, identity="ada", track_sid=track.sid, muted=True)
        )


def seen(stage: Stage, kind: Kind) -> list[Step]:
    """Steps of this kind that the agent reported."""
    try:
        steps = stage.timeline(ROOM).steps
    except UnknownRoomError:
        return []
    return [step for step in steps if step.kind is kind and "agent" in step.witnesses]


def test_each_change_is_a_step_with_its_own_time(livekit: LiveKitServer, webhook_port: int, tmp_path: Path) -> None:
    server = livekit.settings
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.serve(server)
        worker(stage, livekit, f"http://127.0.0.1:{webhook_port}", DEAF="yes")
        caller = threading.Thread(target=calls.call, args=(stage, server, ROOM, 15.0))
        caller.start()
        wait_for(lambda: bool(seen(stage, Kind.SESSION_STARTED)), "started")
        for number, language in enumerate(("de", "fr"), 1):
            asyncio.run(change(server, language=language))
            wait_for(lambda n=number: len(seen(stage, Kind.PARTICIPANT_ATTRIBUTES_CHANGED)) == n, "reported")  # type: ignore[misc]
        asyncio.run(mute(server))
        wait_for(lambda: bool(seen(stage, Kind.TRACK_MUTED)), "muted")
        caller.join(LIMIT)
        wait_for(lambda: bool(seen(stage, Kind.SESSION_CLOSED)), "closed")
        german, french = seen(stage, Kind.PARTICIPANT_ATTRIBUTES_CHANGED)
        key = keys.PARTICIPANT_ATTRIBUTE + "language"
        assert [step.facts[key] for step in (german, french)] == ["de", "fr"]
        assert german.time < french.time < seen(stage, Kind.TRACK_MUTED)[0].time
        (off,) = seen(stage, Kind.SESSION_AUDIO_INPUT_OFF)
        assert off.time < seen(stage, Kind.SESSION_STARTED)[0].time
        told = explain(stage.timeline(ROOM))
        assert (told.findings, told.well) == ((), None)
        assert "whether the agent heard ada is not known: its audio input was turned off" in told.summary
