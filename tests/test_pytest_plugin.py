from __future__ import annotations

import socket
import threading
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, ROOM, call, moment, ms
from tests.view.test_check import wrong_call
from tracer import keys, pytest_plugin
from tracer.check import Outcome
from tracer.errors import UnknownRoomError
from tracer.local_servers import free_port
from tracer.moment import Kind, Moment, facts
from tracer.pytest_plugin import NEEDED, LiveKitTracer
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.units import NS_PER_MS

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

ASKS = "def test_it(livekit_tracer): print(livekit_tracer.endpoint, livekit_tracer.webhook_url, livekit_tracer.store)"


@pytest.fixture
def alone(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder of tests with nothing of ours in the environment."""
    for name in (*NEEDED, "CI", "TRACER_STORE", "TRACER_ENDPOINT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    return pytester


def recorded(path: Path, *moments: Moment) -> LiveKitTracer:
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(moments)])
    return LiveKitTracer(7890, path)


def test_without_a_server_a_test_is_skipped(alone: pytest.Pytester) -> None:
    alone.makepyfile(ASKS)
    ran = alone.runpytest_inprocess("-rs")
    ran.assert_outcomes(skipped=1)
    ran.stdout.fnmatch_lines(["*needs a LiveKit server to call on: LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET*"])


def test_without_a_server_a_test_fails_in_ci(alone: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    alone.makepyfile(ASKS)
    alone.runpytest_inprocess().assert_outcomes(errors=1)


@pytest.mark.slow
def test_it_listens_on_the_given_port_and_ends_with_the_tests(
    alone: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    for name, value in zip(NEEDED, ("ws://127.0.0.1:1", "key", "s" * 32), strict=True):
        monkeypatch.setenv(name, value)
    alone.makepyfile(f"""
        import urllib.request

        def test_it(livekit_tracer):
            assert livekit_tracer.endpoint == "http://127.0.0.1:{port}"
            assert livekit_tracer.webhook_url == "http://127.0.0.1:{port}/webhook"
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
            assert opener.open(livekit_tracer.endpoint + "/healthz", timeout=10).status == 200
            assert livekit_tracer.store.exists()

        def test_it_is_the_same_for_all(livekit_tracer):
            assert livekit_tracer.endpoint.endswith(":{port}")
    """)
    alone.runpytest_subprocess("-W", "error", "--tracer-port", str(port)).assert_outcomes(passed=2)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.slow
def test_a_port_in_use_is_reported(alone: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(NEEDED, ("ws://127.0.0.1:1", "key", "s" * 32), strict=True):
        monkeypatch.setenv(name, value)
    alone.makepyfile(ASKS)

    class Healthy(BaseHTTPRequestHandler):
        """Another program that answers, as another receiver would."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as taken:
        threading.Thread(target=taken.serve_forever, daemon=True).start()
        port = taken.server_address[1]
        ran = alone.runpytest_subprocess("--tracer-port", str(port))
        taken.shutdown()
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines([f"*127.0.0.1:{port} is in use*"])


def test_the_option_is_in_the_help(alone: pytest.Pytester) -> None:
    ran = alone.runpytest_inprocess("--help")
    ran.stdout.fnmatch_lines(["*--tracer-port=PORT*"])


def test_a_call_in_order_is_asserted(tmp_path: Path) -> None:
    tracer = recorded(tmp_path / "t.db", *call())
    assert tracer.assert_order("demo").answer is Outcome.HOLDS
    assert tracer.check(ROOM).violated == []
    assert tracer.timeline("demo").room.sid == ROOM


def test_a_call_out_of_order_is_an_assertion_error_with_its_steps(tmp_path: Path) -> None:
    tracer = recorded(tmp_path / "t.db", *wrong_call())
    with pytest.raises(AssertionError) as failed:
        tracer.assert_order("demo")
    lines = str(failed.value).splitlines()
    assert lines[0] == f"room 'demo' ({ROOM}): 10 rules: 1 fails, 9 pass"
    assert lines[1] == "2 participant-states: ada left between 5.1 s and 6.0 s before ada was ACTIVE"
    at = "2025-11-22T19:51:01.000000000Z"
    assert lines[3] == f"    participant.left PA_ada: webhook by the server's clock: {at} … {at}"


def test_what_strangers_chose_reaches_no_terminal_raw(tmp_path: Path) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2Jada"
    facts_of = {keys.PARTICIPANT_IDENTITY: hostile}
    moments = [replace(m, facts=facts({**dict(m.facts), **facts_of})) if m.subject == ADA else m for m in wrong_call()]
    with pytest.raises(AssertionError) as failed:
        recorded(tmp_path / "t.db", *moments).assert_order("demo")
    assert "\x1b" not in str(failed.value)
    assert "\x07" not in str(failed.value)


def test_an_unknown_room_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownRoomError):
        recorded(tmp_path / "t.db", *call()).assert_order("nobody")


def test_it_waits_until_a_call_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest_plugin, "POLL_EVERY", 0.01)
    last = moment(Kind.ROOM_FINISHED, ROOM, ms(9000), witness="webhook")
    open_room = [m for m in call() if m.kind not in (Kind.ROOM_FINISHED, Kind.JOB_ENDED)]
    tracer = recorded(tmp_path / "t.db", *open_room)
    with pytest.raises(TimeoutError, match=r"'demo' was not over after 0\.05 s: it is still open"):
        tracer.wait_until_over("demo", 0.05)
    with pytest.raises(TimeoutError, match="no such room was reported"):
        tracer.wait_until_over("other", 0.05)
    recorded(tmp_path / "t.db", *call(), last)
    assert tracer.wait_until_over("demo").room.finished


def late(room: str, more: float) -> list[Moment]:
    """The call in a room of its own, of which the agent was ready so many ms later."""

    def moved(m: Moment) -> Moment:
        by = round(more * NS_PER_MS) if m.time > ms(390) else 0
        named = facts({**dict(m.facts), keys.ROOM_NAME: room.removeprefix("RM_")})
        subject = m.subject.replace(ROOM, room)
        times = m.earliest + by, m.latest + by, m.time + by
        return replace(m, room=room, subject=subject, facts=named, earliest=times[0], latest=times[1], time=times[2])

    return [moved(m) for m in call()]


def test_an_agent_that_is_ready_in_time_passes(tmp_path: Path) -> None:
    tracer = recorded(tmp_path / "t.db", *call())
    assert tracer.ready_after("demo") == pytest.approx(0.392, abs=0.001)
    tracer.assert_ready_within("demo", seconds=0.4)


def test_one_that_is_not_fails_with_its_budget(tmp_path: Path) -> None:
    tracer = recorded(tmp_path / "t.db", *call())
    with pytest.raises(AssertionError) as failed:
        tracer.assert_ready_within("demo", seconds=0.3)
    lines = str(failed.value).splitlines()
    assert lines[0] == "the agent was not ready within 0.3 s"
    assert lines[1] == "    room 'demo': ready after 0.392 s"
    assert "session started: 392 ms" in lines[3]
    assert any("LiveKit server" in line for line in lines[4:])


def test_one_that_was_never_ready_fails_whatever_the_limit(tmp_path: Path) -> None:
    moments = [m for m in call() if not m.kind.startswith(("session", "job.entrypoint_returned"))]
    tracer = recorded(tmp_path / "t.db", *moments)
    assert tracer.ready_after("demo") is None
    with pytest.raises(AssertionError, match="room 'demo': not ready, or not known when: "):
        tracer.assert_ready_within("demo", seconds=3600)


def test_of_several_calls_so_many_per_cent_have_to_be_in_time(tmp_path: Path) -> None:
    *rooms, another = [f"r{n}" for n in range(21)]
    tracer = recorded(
        tmp_path / "t.db", *(m for n, room in enumerate([*rooms, another]) for m in late(f"RM_{room}", 100 * (n < 2)))
    )
    tracer.assert_ready_within(*rooms, seconds=0.5)
    tracer.assert_ready_within(*rooms, seconds=0.4, percentile=90)
    tracer.assert_ready_within(*rooms[1:], another, seconds=0.4, percentile=95)
    with pytest.raises(
        AssertionError, match=r"2 of 20 agents were not ready within 0\.4 s, and 95 % of them had to be"
    ):
        tracer.assert_ready_within(*rooms, seconds=0.4, percentile=95)
    with pytest.raises(AssertionError, match="and all had to be"):
        tracer.assert_ready_within(*rooms, seconds=0.4)


@pytest.mark.parametrize(("rooms", "percentile"), [((), 95), (("demo",), 0), (("demo",), 101)])
def test_a_gate_that_could_not_fail_is_an_error(tmp_path: Path, rooms: tuple[str, ...], percentile: int) -> None:
    with pytest.raises(ValueError, match="at least one room"):
        recorded(tmp_path / "t.db", *call()).assert_ready_within(*rooms, seconds=1, percentile=percentile)


def test_a_room_that_is_named_badly_is_shown_harmlessly(tmp_path: Path) -> None:
    name = "a\x1b[2J\nb"
    moments = [replace(m, facts=facts({**dict(m.facts), keys.ROOM_NAME: name})) for m in call()]
    with pytest.raises(AssertionError) as failed:
        recorded(tmp_path / "t.db", *moments).assert_ready_within(name, seconds=0.1)
    assert "\x1b" not in str(failed.value)
