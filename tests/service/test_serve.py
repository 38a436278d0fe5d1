from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.moments import call
from tests.receiving import LIMIT
from tracer.errors import ConfigurationError
from tracer.service import serve as service
from tracer.service.serve import ServeOptions, observe, serve
from tracer.service.stop_signal import stop_event
from tracer.settings import LiveKit
from tracer.store import Arrival, open_writer
from tracer.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tracer.store import Writer

NOWHERE = LiveKit("ws://127.0.0.1:9", "key", "s" * 32)
"""No server listens there."""
KEYS = {"LIVEKIT_API_KEY": NOWHERE.api_key, "LIVEKIT_API_SECRET": NOWHERE.api_secret}


@pytest.mark.parametrize("command", [serve, observe])
def test_no_password_of_an_address_is_logged(
    command: Callable[[LiveKit, ServeOptions], Coroutine[Any, Any, None]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def stopped() -> asyncio.Event:
        event = asyncio.Event()
        event.set()
        return event

    monkeypatch.setattr(service, "stop_event", stopped)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ada:s3cret@127.0.0.1:9")
    with caplog.at_level("INFO", "tracer"):
        asyncio.run(command(NOWHERE, ServeOptions(str(tmp_path / "t.db"), port=0)))
    assert "exporting to http://127.0.0.1:9" in caplog.text
    assert "s3cret" not in caplog.text
    assert "ada" not in caplog.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "tracer.example"])
def test_it_does_not_export_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{host}:7890")
    options = ServeOptions(str(tmp_path / "t.db"), host=host)
    with pytest.raises(ConfigurationError, match="7890 of this machine, which is tracer itself"):
        asyncio.run(serve(NOWHERE, options))
    assert not (tmp_path / "t.db").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "tracer.example"])  # noqa: S104  refused
def test_beyond_this_machine_it_listens_only_with_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("TRACER_INGEST_TOKEN", " ")
    with pytest.raises(ConfigurationError, match=f"--host {host} lets everyone .* set TRACER_INGEST_TOKEN"):
        asyncio.run(serve(NOWHERE, ServeOptions(str(tmp_path / "t.db"), host=host)))
    assert not (tmp_path / "t.db").exists()


def test_without_a_store_nothing_stays_and_a_backend_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    opened: list[Path] = []

    def noted(location: str, **options: Any) -> Writer:
        opened.append(Path(location))
        return open_writer(location, **options)

    def stopped() -> asyncio.Event:
        event = asyncio.Event()
        event.set()
        return event

    monkeypatch.setattr(service, "open_writer", noted)
    monkeypatch.setattr(service, "stop_event", stopped)
    asyncio.run(serve(NOWHERE, ServeOptions("none", port=0)))
    assert len(opened) == 1
    assert not opened[0].parent.exists()
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
    with pytest.raises(ConfigurationError, match="--store none keeps nothing"):
        asyncio.run(serve(NOWHERE, ServeOptions("none", port=0)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("windows", [False, True])
def test_a_signal_stops_the_service(monkeypatch: pytest.MonkeyPatch, number: signal.Signals, windows: bool) -> None:
    def not_on_windows(*_: object) -> None:
        raise NotImplementedError

    async def main() -> None:
        if windows:
            monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", not_on_windows, raising=False)
        stopped = stop_event()
        os.kill(os.getpid(), number)
        async with asyncio.timeout(LIMIT):
            await stopped.wait()

    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        asyncio.run(main())
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


WITHOUT_UNIX = """
import builtins, signal, sys
imported = builtins.__import__
def without(name, *args, **kwargs):
    if name in ("fcntl", "termios", "resource", "pwd", "grp"):
        raise ImportError(f"no {name} on Windows")
    return imported(name, *args, **kwargs)
builtins.__import__ = without
for name in ("SIGHUP", "SIGKILL", "SIGUSR1"):
    delattr(signal, name)
from tracer.cli import main
main(sys.argv[1:])
"""
"""The command line where Python has no more than on Windows."""


def on_windows(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_UNIX, *arguments],
        env=os.environ | KEYS,
        capture_output=True,
        text=True,
        check=False,
        timeout=3 * LIMIT,
    )


@pytest.mark.parametrize("command", ["timeline", "why"])
def test_windows_can_read_a_store(tmp_path: Path, command: str) -> None:
    with closing(SqliteStore(tmp_path / "t.db")) as store:
        store.add([Arrival(tuple(call()))])
    ran = on_windows(command, "demo", "--store", str(tmp_path / "t.db"))
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert "demo" in ran.stdout


def test_windows_can_list_rooms_and_load_the_service(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "t.db").close()
    assert on_windows("rooms", "--store", str(tmp_path / "t.db")).returncode == 0
    ran = on_windows("serve", "--store", str(tmp_path))
    assert f"{tmp_path} is a folder" in ran.stderr
    assert ran.returncode == 1
