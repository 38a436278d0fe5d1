"""`tracer observe`: the API as the only witness, on a server that answers, does not, or not everything."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from livekit.api import CreateRoomRequest, DeleteRoomRequest, LiveKitAPI

from tests.live import calling, calls
from tests.live.calls import LIMIT, asking, hold_against, wait_for
from tracer import keys
from tracer.demo.stage import Stage
from tracer.errors import StoreError, UnknownRoomError
from tracer.local_servers import LiveKitServer, free_port
from tracer.moment import Kind
from tracer.settings import LiveKit
from tracer.view.notes import notes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracer.local_servers import Process


def observer(stage: Stage, server: LiveKit) -> Process:
    process = stage.start(
        "observe",
        ["-m", "tracer", "observe", "--store", stage.store],
        LIVEKIT_URL=server.url,
        LIVEKIT_API_KEY=server.api_key,
        LIVEKIT_API_SECRET=server.api_secret,
    )
    process.wait_until(lambda: "observing" in process.log.read_text(), LIMIT)
    return process


def seen(stage: Stage, room: str, kind: Kind) -> bool:
    try:
        return any(step.kind is kind for step in stage.timeline(room).steps)
    except (UnknownRoomError, StoreError):
        return False


async def made(server: LiveKit, name: str, stage: Stage) -> None:
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        await livekit.room.create_room(CreateRoomRequest(name=name))
    await asyncio.to_thread(wait_for, lambda: seen(stage, name, Kind.ROOM_CREATED), "seen")


async def made_and_deleted(server: LiveKit, name: str, stage: Stage) -> None:
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        await livekit.room.create_room(CreateRoomRequest(name=name))
        await asyncio.to_thread(wait_for, lambda: seen(stage, name, Kind.ROOM_CREATED), "seen")
        await livekit.room.delete_room(DeleteRoomRequest(room=name))


def test_without_any_webhook_the_timeline_is_whole(livekit: LiveKitServer, tmp_path: Path) -> None:
    """A worker that is not instrumented and a server whose webhooks go nowhere: the API tells the rest."""
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        process = observer(stage, livekit.settings)
        with asking(livekit.settings, "observed") as answers:
            calls.call(stage, livekit.settings, "observed", 2.0, tier="gold")
        wait_for(lambda: seen(stage, "observed", Kind.ROOM_FINISHED), "finished")
        timeline = stage.timeline("observed")
        hold_against(answers, timeline)
        [caller] = timeline.participants
        assert caller.attributes == {"tier": "gold"}
        active, gone, finished = caller.at(Kind.PARTICIPANT_ACTIVE), caller.gone, timeline.room.finished
        assert active
        assert gone
        assert finished
        assert {witness for step in timeline.steps for witness in step.witnesses} == {"observer"}
        assert gone.latest - gone.earliest > 0, "known to within two polls, and recorded so"
        assert "no webhooks received" in str(list(notes(timeline)))
        process.stop()
        assert process.returncode == 0


def end_is_marked(stage: Stage, room: str) -> bool:
    """Whether the end of the room says that the server could not be reached then."""
    finished = stage.timeline(room).room.at(Kind.ROOM_FINISHED)
    assert finished
    return all(dict(moment.facts).get(keys.ROOM_SERVER_AWAY) is True for moment in finished.moments)


def test_it_survives_the_servers_death(livekit: LiveKitServer, tmp_path: Path) -> None:
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        running = LiveKitServer(livekit.program, folder=tmp_path)
        running.start()
        server = running.settings
        process = observer(stage, server)
        asyncio.run(made_and_deleted(server, "before", stage))
        wait_for(lambda: seen(stage, "before", Kind.ROOM_FINISHED), "finished")
        asyncio.run(made(server, "open", stage))
        assert running.process
        assert running.process.pid
        os.kill(running.process.pid, signal.SIGKILL)
        wait_for(lambda: "cannot observe" in process.log.read_text(), "away")
        running.stop()
        config = tmp_path / "livekit.yaml"
        running.process.command = livekit.program.command(config, running.container)
        running.process.start()
        try:
            wait_for(lambda: f"observing {server.url} again" in process.log.read_text(), "back")
            asyncio.run(made_and_deleted(server, "after", stage))
            wait_for(lambda: seen(stage, "after", Kind.ROOM_FINISHED), "finished")
            wait_for(lambda: seen(stage, "open", Kind.ROOM_FINISHED), "finished")
            assert [end_is_marked(stage, room) for room in ("before", "open", "after")] == [False, True, False]
        finally:
            running.stop()
        assert process.log.read_text().count("cannot observe") == 1


def test_wrong_keys_are_one_line_and_tried_again(livekit: LiveKitServer, tmp_path: Path) -> None:
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        process = observer(stage, LiveKit(livekit.settings.url, livekit.api_key, "x" * 40))
        wait_for(lambda: "cannot observe" in process.log.read_text(), "said")
        time.sleep(3.5)  # three tries
        assert process.running
        log = process.log.read_text()
        assert log.count("cannot observe") == 1
        assert "the secret is not that of the key" in log
        assert "→ set LIVEKIT_API_SECRET" in log
        assert "x" * 40 not in log


def test_without_a_url_it_says_so(tmp_path: Path) -> None:
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        pair = {"LIVEKIT_API_KEY": "k", "LIVEKIT_API_SECRET": "s" * 32}
        process = stage.start("observe", ["-m", "tracer", "observe", "--store", stage.store], **pair)
        assert process.wait(LIMIT)
        assert process.returncode == 2
        assert "LIVEKIT_URL not set" in process.last_lines()[0]


@contextmanager
def gate_that_refuses(part: str, server: LiveKit) -> Iterator[str]:
    """The real server behind a gate that lets everything through but one service."""

    async def through(request: web.Request) -> web.Response:
        if part in request.path:
            return web.json_response({"code": "permission_denied", "msg": "not for you"}, status=403)
        url = server.url.replace("ws", "http", 1) + request.path
        headers = {key: request.headers[key] for key in ("Authorization", "Content-Type")}
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=await request.read(), headers=headers) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    ready, loop, port = threading.Event(), asyncio.new_event_loop(), free_port()

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", through)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        ready.set()
        await stopped.wait()
        await runner.cleanup()

    stopped = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(LIMIT)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(LIMIT)
        loop.close()


@pytest.mark.parametrize(
    ("part", "what", "missing"),
    [
        ("AgentDispatchService", "dispatches", Kind.DISPATCH_CREATED),
        ("ListParticipants", "participants", Kind.PARTICIPANT_JOINING),
    ],
)
def test_a_part_that_is_refused_is_logged_once_and_the_rest_goes_on(
    livekit: LiveKitServer, tmp_path: Path, part: str, what: str, missing: Kind
) -> None:
    server, room = livekit.settings, f"without-{what}"
    with gate_that_refuses(part, server) as url, Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        process = observer(stage, LiveKit(url, server.api_key, server.api_secret))
        calls.call(stage, server, room, 2.0)
        wait_for(lambda: seen(stage, room, Kind.ROOM_FINISHED), "finished")
        assert process.log.read_text().count(f"may not list {what}") == 1
        timeline = stage.timeline(room)
        assert not seen(stage, room, missing)
        assert seen(stage, room, Kind.ROOM_CREATED)
        if missing is Kind.DISPATCH_CREATED:
            assert seen(stage, room, Kind.PARTICIPANT_ACTIVE)
            assert "the API listed no dispatches" in str(list(notes(timeline)))


def test_a_caller_who_never_becomes_active_is_polled_ever_more_seldom(livekit: LiveKitServer, tmp_path: Path) -> None:
    """Signalling alone, without media: JOINED is seen, and the server's log is not filled while nothing follows."""
    assert livekit.process
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        observer(stage, livekit.settings)
        before = livekit.process.log.read_text().count('"ListParticipants"')
        caller = stage.caller(
            "ada", livekit.settings.url, calling.token(livekit.settings, "stuck"), 6.0, "--without-media"
        )
        wait_for(lambda: seen(stage, "stuck", Kind.PARTICIPANT_JOINED), "joined")
        assert caller.wait(LIMIT)
        polls = livekit.process.log.read_text().count('"ListParticipants"') - before
        assert 2 <= polls <= 120, "at the quickest pace it would be 500"
