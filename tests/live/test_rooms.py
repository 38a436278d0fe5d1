"""Who can be in a room, and rooms of one name: every kind of participant, and a name that is used again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from livekit.api import AccessToken, VideoGrants

from tests.live import calls
from tests.live.calls import LIMIT, wait_for
from tracer.check import check
from tracer.demo.stage import Stage
from tracer.store import open_reader

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.local_servers import LiveKitServer

KINDS = ("standard", "egress", "ingress", "sip", "agent", "connector", "bridge")
FIRST_IDS = 3


def test_every_kind_of_participant_is_told_of_as_what_it_is(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    server = livekit.settings
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.serve(server)
        joined = []
        for kind in KINDS:
            token = AccessToken(server.api_key, server.api_secret).with_identity(f"a {kind}")
            token = token.with_kind(kind).with_grants(VideoGrants(room_join=True, room="kinds"))  # type: ignore[arg-type]
            joined.append(stage.caller(kind, server.url, token.to_jwt(), 4.0))
        for caller in joined:
            assert caller.wait(LIMIT)
            assert caller.returncode == 0, caller.last_lines(5)
        wait_for(lambda: stage.timeline("kinds").room.finished is not None, "closed")
        timeline = stage.timeline("kinds")
    assert {p.identity: p.kind for p in timeline.participants} == {f"a {kind}": kind.upper() for kind in KINDS}
    assert {p.state for p in timeline.participants} == {"DISCONNECTED"}
    assert not check(timeline).violated


def test_a_name_used_again_is_another_room_each_time(livekit: LiveKitServer, webhook_port: int, tmp_path: Path) -> None:
    server = livekit.settings
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.serve(server)
        sids = []
        for number in range(FIRST_IDS):
            began = time.time_ns()
            calls.call(stage, server, "again", 0.5, identity=f"caller-{number}")
            wait_for(
                lambda began=began: (
                    stage.timeline("again").zero >= began  # type: ignore[misc]
                    and stage.timeline("again").room.finished is not None
                ),
                "closed",
            )
            sids.append(stage.timeline("again").room.sid)
        rooms = [stage.timeline(sid) for sid in sids]
        listed = [row.sid for row in open_reader(stage.store).rooms(10) if row.name == "again"]
    assert len(set(sids)) == FIRST_IDS
    assert listed == sids[::-1]
    assert [[p.identity for p in room.participants] for room in rooms] == [[f"caller-{n}"] for n in range(FIRST_IDS)]
    assert [room.earlier.room.sid if room.earlier else None for room in rooms] == [None, *sids[:-1]]
    assert [room.later.room.sid if room.later else None for room in rooms] == [*sids[1:], None]
