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
