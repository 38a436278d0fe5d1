"""A pytest plugin: a user's own test makes a call, and asserts on its order.

``pip install livekit-tracer`` is all it takes: pytest finds the fixture ``livekit_tracer`` by itself::

    def test_the_agent_greets_in_order(livekit_tracer):
        with my_agent(TRACER_ENDPOINT=livekit_tracer.endpoint):      # an agent with tracer.instrument(server)
            make_a_call("room-of-this-test")
            timeline = livekit_tracer.wait_until_over("room-of-this-test")
        assert timeline.jobs
        livekit_tracer.assert_order("room-of-this-test")

The call runs on the server of ``LIVEKIT_URL``, ``LIVEKIT_API_KEY`` and ``LIVEKIT_API_SECRET``. Without these the test
is skipped, and fails where ``CI=true``: nobody would see a skip there. The server's API is asked what happens. For its
webhooks, which tell times more exactly, let it send them to ``http://127.0.0.1:PORT/webhook``, and run
``pytest --tracer-port PORT``.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tracer.errors import TracerError, UnknownRoomError

# What takes long to import is imported where it is needed: this module is loaded with every run of pytest.
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracer.check import RoomCheck
    from tracer.timeline.timeline import Timeline

__all__ = ["LiveKitTracer", "livekit_tracer", "pytest_addoption"]

NEEDED = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
"""Variables without which there is no server to call on."""
START_LIMIT = 60.0
"""Seconds the receiver may take to start."""
LOOK_EVERY = 0.25
"""Seconds between looks whether a call is over."""


class LiveKitTracer:
    """A receiver that runs as long as the tests do, and what it knows of their calls.

    Give each call a room name of its own: of several rooms of one name, the latest is meant.
    """

    def __init__(self, port: int, store: Path) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        """Where agents send to: set ``TRACER_ENDPOINT`` to it for yours."""
        self.webhook_url = f"{self.endpoint}/webhook"
        """Where the server sends webhooks to, if it is told to."""
        self.store = store
        """The file in which moments are kept, for ``tracer timeline --store``."""

    def timeline(self, room: str) -> Timeline:
        """What is known by now of the room with this name or SID. Raises UnknownRoomError when nothing is."""
        from tracer.store.load import read_timeline

        return read_timeline(str(self.store), room)

    def wait_until_over(self, room: str, limit: float = 60.0) -> Timeline:
        """Wait until the room has closed and its jobs have ended, for ``limit`` seconds at the most.

        The server closes a room some time after the last leave: its ``departure_timeout``, 20 s unless set. Raises
        TimeoutError that says what is still missing.
        """
        from tracer.view.text import plain

        end = time.monotonic() + limit
        seen = -1
        while True:
            try:
                timeline = self.timeline(room)
            except UnknownRoomError:
                missing, told = "nobody told of such a room", 0
            else:
                open_jobs = [job.sid for job in timeline.open_jobs()]
                missing = f"these jobs go on: {plain(', '.join(open_jobs))}" if open_jobs else ""
                missing = missing if timeline.room.finished else "it is still open, or its end was not seen"
                told = sum(len(step.told) for step in timeline.steps)
                if not missing and told == seen:  # and nothing came any more
                    return timeline
            seen = told
            if time.monotonic() > end:
                raise TimeoutError(f"room {room!r} was not over after {limit:g} s: {missing or 'more is being told'}")
            time.sleep(LOOK_EVERY)

    def check(self, room: str) -> RoomCheck:
        """The room, judged by the rules of `tracer check`: ``judgements``, ``violated``, ``clocks``."""
        from tracer.check import check

        return check(self.timeline(room))

    def assert_order(self, room: str) -> RoomCheck:
        """Raises AssertionError that lists what is out of order. What cannot be told is no failure."""
        __tracebackhide__ = True
        from tracer.check import Outcome
        from tracer.check.sentences import accounts
        from tracer.view.check import conclusion
        from tracer.view.text import plain

        check = self.check(room)
        lines = [f"room {room!r} ({plain(check.timeline.room.sid)}): {conclusion(check)}"]
        for judgement in check.judgements:
            for verdict in judgement.having(Outcome.VIOLATED):
                lines.append(f"{judgement.rule.number} {judgement.rule.name}: {plain(verdict.sentence)}")
                lines += (f"    {plain(accounts(step))}" for step in verdict.steps)
        if check.violated:
            raise AssertionError("\n".join(lines))
        return check


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--tracer-port``."""
    group = parser.getgroup("livekit-tracer")
    group.addoption(
        "--tracer-port",
        type=int,
        default=0,
        metavar="PORT",
        help="where the fixture livekit_tracer listens for webhooks and spans; by default a free port",
    )


@pytest.fixture(scope="session")
def livekit_tracer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitTracer]:
    """A running `tracer serve`: what it is told of your calls, and whether they went in order."""
    from tracer.settings import load_env

    load_env()
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        reason = f"livekit_tracer needs a LiveKit server to call on: {', '.join(missing)} not set"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    from tracer.local_servers import Process, free_port

    if request.config.getoption("--tracer-port") and hasattr(request.config, "workerinput"):
        pytest.fail("--tracer-port is for one process: without it, each of pytest-xdist's has a port", pytrace=False)
    port = request.config.getoption("--tracer-port") or free_port()
    folder = tmp_path_factory.mktemp("livekit-tracer")
    store = folder / "tracer.db"
    command = [sys.executable, "-m", "tracer", "serve", "--port", str(port), "--store", str(store)]
    with Process("tracer serve", command, folder=folder, environment=os.environ) as receiver:
        try:
            # Its own word: another program may listen there, and answer.
            receiver.wait_until(lambda: f":{port}, keeping" in receiver.log.read_text(encoding="utf-8"), START_LIMIT)
        except TracerError as error:
            pytest.fail(str(error), pytrace=False)
        yield LiveKitTracer(port, store)
