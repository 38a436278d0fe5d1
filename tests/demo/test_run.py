"""The demo's call, where LiveKit's API does not answer as it should."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from tracer.demo import run
from tracer.demo.scenario import Scenario
from tracer.demo.stage import Stage
from tracer.errors import DemoError
from tracer.settings import LiveKit

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.demo.play import Play


class Deletes(Scenario):
    name = "deletes"
    question = "?"
    workers = ()

    async def play(self, play: Play) -> None:
        await play.delete_room()


@pytest.mark.parametrize(("waits", "why"), [(30.0, "no answer within 0.3 s"), (0.0, "requested room does not exist")])
def test_an_api_that_does_not_answer_as_it_should_is_one_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waits: float, why: str
) -> None:
    monkeypatch.setattr(run, "LONGEST_ANSWER", 0.3)
    monkeypatch.setattr(Stage, "serve", lambda *_: None)

    async def handler(_: web.Request) -> web.Response:
        await asyncio.sleep(waits)
        return web.json_response({"code": "not_found", "msg": "requested room does not exist"}, status=404)

    async def main() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        place = run._Place(LiveKit(f"ws://127.0.0.1:{runner.addresses[0][1]}", "key", "s" * 32), "demo")
        try:
            await run._call(Stage(tmp_path, tmp_path / "t.db", 1), Deletes(), place, run.DemoOptions(), lambda: None)
        finally:
            await runner.cleanup()

    with pytest.raises(DemoError, match=why):
        asyncio.run(main())


@pytest.mark.parametrize("prefix", ["", "tracer-demo-1"])
def test_only_on_a_server_that_others_use_are_their_rooms_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prefix: str
) -> None:
    asked: list[tuple[object, ...]] = []

    def serve(_: Stage, *arguments: object) -> None:
        asked.append(arguments)
        raise DemoError("enough")

    monkeypatch.setattr(Stage, "serve", serve)
    place = run._Place(LiveKit("ws://127.0.0.1:1", "key", "s" * 32), prefix or "demo", prefix)
    with pytest.raises(DemoError, match="enough"):
        asyncio.run(run._call(Stage(tmp_path, tmp_path / "t.db", 1), Deletes(), place, run.DemoOptions(), lambda: None))
    assert ("--only" in asked[0]) == bool(prefix)
