"""A pytest plugin: your own test makes a call and asserts that its events are in order.

``pip install livekit-tracer`` is all it takes: pytest finds the fixture ``livekit_tracer`` by itself::

    def test_the_agent_greets_in_order(livekit_tracer):
        with my_agent(TRACER_ENDPOINT=livekit_tracer.endpoint):      # an agent with tracer.instrument(server)
            make_a_call("room-of-this-test")
            timeline = livekit_tracer.wait_until_over("room-of-this-test")
        assert timeline.jobs
        livekit_tracer.assert_order("room-of-this-test")
        livekit_tracer.assert_ready_within("room-of-this-test", seconds=1.5)

The call runs on the server of ``LIVEKIT_URL``, ``LIVEKIT_API_KEY`` and ``LIVEKIT_API_SECRET``. Without these the test
is skipped, and fails where ``CI=true``: nobody would see a skip there. The server's API is polled. For more precise
times, configure the server to send its webhooks to ``http://127.0.0.1:PORT/webhook`` and run
``pytest --tracer-port PORT``.
"""

from __future__ import annotations

import math
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tracer.errors import TracerError, UnknownRoomError
from tracer.units import NS_PER_S

# What takes long to import is imported where it is needed: this module is loaded with every run of pytest.
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracer.check import RoomCheck
    from tracer.timeline.timeline import Timeline

__all__ = ["LiveKitTracer", "livekit_tracer", "pytest_addoption"]

NEEDED = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
"""Environment variables without which there is no server to call on."""
START_LIMIT = 60.0
"""Seconds the receiver may take to start."""
POLL_EVERY = 0.25
"""Seconds between checks whether a call is over."""
MOST_SLOW = 10
"""Rooms that were too slow and are listed."""
WIDTH = 100
"""Columns of what an error shows."""


class LiveKitTracer:
    """A receiver that runs as long as the tests do, and what it recorded of their calls.

    Give each call a room name of its own: of several rooms with one name, the latest is taken.
    """

    def __init__(self, port: int, store: Path) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        """Where agents send their spans: set your agent's ``TRACER_ENDPOINT`` to it."""
        self.webhook_url = f"{self.endpoint}/webhook"
        """Where the server sends its webhooks, if it is configured to."""
        self.store = store
        """The store of recorded events, for ``tracer timeline --store``."""

    def timeline(self, room: str) -> Timeline:
        """What is known so far of the room with this name or SID. Raises UnknownRoomError when nothing is."""
        from tracer.store.load import read_timeline

        return read_timeline(str(self.store), room)

    def wait_until_over(self, room: str, limit: float = 60.0) -> Timeline:
        """Wait until the room has closed and its jobs have ended, at most ``limit`` seconds.

        The server closes a room some time after the last leave: its ``departure_timeout``, 20 s unless set. Raises
        TimeoutError with what is still missing.
        """
        end = time.monotonic() + limit
        before = -1
        while True:
            try:
                timeline = self.timeline(room)
            except UnknownRoomError:
                missing, reports = "no such room was reported", 0
            else:
                missing = _missing(timeline)
                reports = sum(len(step.moments) for step in timeline.steps)
                if not missing and reports == before:  # and nothing more arrived
                    return timeline
            before = reports
            if time.monotonic() > end:
                why = missing or "reports are still arriving"
                raise TimeoutError(f"room {room!r} was not over after {limit:g} s: {why}")
            time.sleep(POLL_EVERY)

    def check(self, room: str) -> RoomCheck:
        """The room by the rules of `tracer check`: ``judgements``, ``violated``, ``clocks``."""
        from tracer.check import check

        return check(self.timeline(room))

    def assert_order(self, room: str) -> RoomCheck:
        """Raises AssertionError that lists what is out of order. What is inconclusive is no failure."""
        __tracebackhide__ = True
        from tracer.check import Outcome
        from tracer.check.sentences import reports
        from tracer.view.text import plain

        check = self.check(room)
        lines = [f"room {room!r} ({plain(check.timeline.room.sid)}): {check.summary}"]
        for judgement in check.judgements:
            for verdict in judgement.having(Outcome.VIOLATED):
                lines.append(f"{judgement.rule.number} {judgement.rule.name}: {plain(verdict.sentence)}")
                lines += (f"    {plain(reports(step))}" for step in verdict.steps)
        if check.violated:
            raise AssertionError("\n".join(lines))
        return check

    def ready_after(self, room: str) -> float | None:
        """Seconds from what first asked for an agent to its being ready for its caller, as the budget has it.

        None where it was not ready, or that is not known. Raises UnknownRoomError.
        """
        from tracer.latency.gaps import Paths

        ns = Paths(self.timeline(room)).ready_after
        return None if ns is None else ns / NS_PER_S

    def assert_ready_within(self, *rooms: str, seconds: float, percentile: int = 100) -> None:
        """Raises AssertionError where the agent was not ready within so many seconds, in any of these rooms.

        ``percentile=95``: at least so many per cent of them have to be within; it takes 20 rooms for one to be allowed
        to be slow. A room in which no agent was ready, or in which that is not known, is not within. The error says
        where the time of the slowest went.
        """
        __tracebackhide__ = True
        if not rooms or not 0 < percentile <= 100:
            raise ValueError("name at least one room, and a percentile from 1 to 100")
        took = {room: self.ready_after(room) for room in rooms}
        slow = [room for room, lasted in took.items() if lasted is None or lasted > seconds]
        if len(slow) * 100 <= len(took) * (100 - percentile):
            return
        wanted = f"{percentile} % of them" if percentile < 100 else "all"
        lines = [f"{len(slow)} of {len(took)} agents were not ready within {seconds:g} s, and {wanted} had to be"]
        if len(took) == 1:
            lines = [f"the agent was not ready within {seconds:g} s"]
        slow.sort(key=lambda room: -(took[room] or math.inf))
        lines += (f"    {self._why_slow(room, took[room])}" for room in slow[:MOST_SLOW])
        if hidden := slow[MOST_SLOW:]:
            lines.append(f"    … and {len(hidden)} more")
        known = max((room for room in slow if took[room] is not None), key=lambda room: took[room] or 0, default=None)
        if known:
            lines += ["", *self._budget(known)]
        raise AssertionError("\n".join(lines))

    def _why_slow(self, room: str, lasted: float | None) -> str:
        if lasted is not None:
            return f"room {room!r}: ready after {lasted:.3f} s"
        from tracer.view.text import plain
        from tracer.why import explain

        return f"room {room!r}: not ready, or not known when: {plain(explain(self.timeline(room)).summary)}"

    def _budget(self, room: str) -> list[str]:
        from tracer.view.budget import budget

        return [line.plain for line in budget(self.timeline(room), WIDTH)]


def _missing(timeline: Timeline) -> str:
    """Why a call is not over; empty when it is."""
    from tracer.view.text import plain

    if not timeline.room.finished:
        return "it is still open, or its end was not observed"
    open_jobs = [job.sid for job in timeline.open_jobs()]
    return f"these jobs have not ended: {plain(', '.join(open_jobs))}" if open_jobs else ""


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
    """A running `tracer serve`: what it recorded of your calls, and whether their events are in order."""
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
        pytest.fail("--tracer-port is for one process: leave it out under pytest-xdist", pytrace=False)
    port = request.config.getoption("--tracer-port") or free_port()
    folder = tmp_path_factory.mktemp("livekit-tracer")
    store = folder / "tracer.db"
    command = [sys.executable, "-m", "tracer", "serve", "--port", str(port), "--store", str(store)]
    with Process("tracer serve", command, folder=folder, environment=os.environ) as receiver:
        try:
            # Its own word: another program may listen there, and answer.
            listening = f"listening on http://127.0.0.1:{port},"
            receiver.wait_until(lambda: listening in receiver.log.read_text(encoding="utf-8"), START_LIMIT)
        except TracerError as error:
            pytest.fail(str(error), pytrace=False)
        yield LiveKitTracer(port, store)
