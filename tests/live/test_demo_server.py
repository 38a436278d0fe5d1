"""`tracer demo --server`: on a server that others use it asks first, touches nobody, and goes away whole."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from livekit.api import ListRoomsRequest, LiveKitAPI

from tests.live import calls
from tests.live.calls import wait_for
from tests.live.test_demo import processes_of
from tracer.demo.stage import Stage
from tracer.local_servers import child_environment
from tracer.store import DEMO, open_reader
from tracer.store.load import read_timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.local_servers import LiveKitServer
    from tracer.moment import Moment
    from tracer.settings import LiveKit
    from tracer.timeline.timeline import Timeline

LIMIT = 240.0


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short one: job processes have sockets below it, and the path of one has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        yield Path(name)


class Demo:
    """`tracer demo … --server`, running; its output in a file."""

    def __init__(self, folder: Path, server: LiveKit, *arguments: str) -> None:
        folder.mkdir()
        self.store = folder / "demo.db"
        self.log = folder / "log"
        command = [
            sys.executable,
            "-m",
            "tracer",
            "demo",
            *arguments,
            "--server",
            server.url,
            "--store",
            str(self.store),
        ]
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [*command, "--yes"], env=environment(server, folder), stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        wait_for(lambda: text in self.said or self.process.poll() is not None, text, LIMIT)
        assert text in self.said

    def timeline(self) -> Timeline:
        """Of the room that it shows."""
        assert self.process.wait(LIMIT) == 0, self.said
        sids = set(re.findall(r"RM_\w+", self.said))
        assert len(sids) == 1, self.said
        return read_timeline(str(self.store), sids.pop())


def environment(server: LiveKit, folder: Path) -> dict[str, str]:
    keys = {"LIVEKIT_API_KEY": server.api_key, "LIVEKIT_API_SECRET": server.api_secret}
    return child_environment(**keys, TMPDIR=str(folder), XDG_STATE_HOME=str(folder), PYTHONUNBUFFERED="1")


def rooms_of_demos(server: LiveKit) -> list[str]:
    async def listed() -> list[str]:
        async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
            return [room.name for room in (await livekit.room.list_rooms(ListRoomsRequest())).rooms]

    return [name for name in asyncio.run(listed()) if name.startswith(DEMO)]


def test_two_demos_beside_a_serve_touch_neither_each_other_nor_a_strangers_call(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    """The second has an agent that rejects every job, and no name in the scenario."""
    server, user = livekit.settings, tmp_path / "user"
    user.mkdir()
    with Stage(user, user / "tracer.db", webhook_port) as stage:
        stage.serve(server)
        mine = stage.agent(server)
        demos = [Demo(tmp_path / name, server, name) for name in ("automatic", "reject")]
        try:
            for demo in demos:
                demo.wait_for("ada calls")
            calls.call(stage, server, "somebody", 3.0, identity="stranger")
            well, rejected = (demo.timeline() for demo in demos)
        finally:
            for demo in demos:
                demo.process.kill()
        mine.wait_until(lambda: calls.is_over(stage, "somebody", 0), LIMIT, what="told of the end")

        call = stage.timeline("somebody")
        [worker] = {moment.subject for moment in worker_moments(stage.store)}
        assert [job.worker_id for job in call.jobs] == [worker], "the stranger has the user's agent"
        assert [who.identity for who in call.participants if not who.is_agent] == ["stranger"]
        with closing(open_reader(stage.store)) as reader:
            names = [room.name or "" for room in reader.rooms(100)]  # other tests leave rooms on this server
        assert "somebody" in names
        assert not [name for name in names if name.startswith(DEMO)]

    for demo, timeline, scenario in zip(demos, (well, rejected), ("automatic", "reject"), strict=True):
        assert timeline.room.name
        assert timeline.room.name.startswith(DEMO)
        [dispatch] = timeline.dispatches
        assert dispatch.agent_name == f"{timeline.room.name}-agent"
        assert [job.dispatch_id for job in timeline.jobs] == [dispatch.sid], scenario
        with closing(open_reader(str(demo.store))) as reader:
            assert [room.name for room in reader.rooms(10)] == [timeline.room.name]
        [its] = {moment.subject for moment in worker_moments(str(demo.store))}
        assert its != worker
    assert "session started" in demos[0].said
    assert "✗ The worker's request_fnc rejected the job." in demos[1].said
    assert rooms_of_demos(server) == []
    assert not processes_of(tmp_path)


def worker_moments(store: str) -> list[Moment]:
    with closing(open_reader(store)) as reader:
        return reader.moments("")


@pytest.mark.parametrize(
    ("scenario", "moment", "number"),
    [
        ("automatic", "starting an agent", signal.SIGINT),
        ("killed", "ada calls", signal.SIGINT),
        ("caller-last", "CreateRoom", signal.SIGTERM),
        ("automatic", "waiting for the room", signal.SIGHUP),
    ],
)
def test_interrupted_it_leaves_no_room_and_no_process(
    livekit: LiveKitServer, tmp_path: Path, scenario: str, moment: str, number: signal.Signals
) -> None:
    demo = Demo(tmp_path / "demo", livekit.settings, scenario)
    try:
        demo.wait_for(moment)
        if moment != "starting an agent":
            wait_for(lambda: rooms_of_demos(livekit.settings) != [], "a room")
        demo.process.send_signal(number)
        demo.process.send_signal(number)  # somebody who does not want to wait
        assert demo.process.wait(60) == 130, demo.said
    finally:
        demo.process.kill()
    assert "Traceback" not in demo.said
    assert rooms_of_demos(livekit.settings) == []
    wait_for(lambda: not processes_of(tmp_path), "gone")


def asked(livekit: LiveKitServer, tmp_path: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Where nobody can answer."""
    server = livekit.settings
    return subprocess.run(
        [sys.executable, "-m", "tracer", "demo", *arguments],
        env=environment(server, tmp_path) | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_a_terminal_it_says_what_it_would_do_and_does_nothing(livekit: LiveKitServer, tmp_path: Path) -> None:
    done = asked(livekit, tmp_path, "--server", livekit.settings.url)
    assert done.returncode == 2
    assert "Your agents are not dispatched to its rooms" in " ".join(done.stdout.split())
    assert "--yes" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "starting" not in done.stdout
    assert rooms_of_demos(livekit.settings) == []


def test_no_is_an_answer(livekit: LiveKitServer, tmp_path: Path) -> None:
    server = livekit.settings
    terminal, inside = pty.openpty()
    command = [sys.executable, "-m", "tracer", "demo", "--server", server.url]
    demo = subprocess.Popen(command, env=environment(server, tmp_path), stdin=inside, stdout=inside, stderr=inside)
    try:
        os.close(inside)
        said = b""
        while b"Go on?" not in said:
            said += os.read(terminal, 4096)
        os.write(terminal, b"n\n")
        assert demo.wait(60) == 1
    finally:
        demo.kill()
        os.close(terminal)
    assert rooms_of_demos(server) == []


@pytest.mark.parametrize("scenario", ["explicit", "named-worker", "lost-webhooks"])
def test_what_would_reach_others_is_not_played_there(livekit: LiveKitServer, tmp_path: Path, scenario: str) -> None:
    done = asked(livekit, tmp_path, scenario, "--server", livekit.settings.url, "--yes")
    assert done.returncode == 2
    assert f"{scenario} is not played on a server that others use" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("ws://127.0.0.1:9", None, "nothing listens there → start the server, or set --server to"),
        ("nonsense", None, "it must look like"),
        (None, "no", "does not know the key 'no'"),
    ],
)
def test_a_server_that_cannot_be_used_is_named(
    livekit: LiveKitServer, tmp_path: Path, url: str | None, key: str | None, said: str
) -> None:
    more = {"LIVEKIT_API_KEY": key} if key else {}
    done = asked(livekit, tmp_path, "--server", url or livekit.settings.url, "--yes", **more)
    assert done.returncode == 2
    assert said in done.stderr
    assert (url or livekit.settings.url) in done.stderr
    assert len(done.stderr.splitlines()) == 1
