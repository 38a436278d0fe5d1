"""What a command needs and does not find, and livekit-server's key pair for development."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_cli import KEYS, Tracer
from tracer.cli import extra
from tracer.instrumentation.versions import SINCE
from tracer.local_servers import child_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.slow
LIMIT = 120.0
DEV = {"LIVEKIT_URL": "ws://127.0.0.1:9", "LIVEKIT_API_KEY": "devkey", "LIVEKIT_API_SECRET": "secret"}


@pytest.mark.parametrize("command", [("demo",), ("demo", "reject", "--server", "ws://127.0.0.1:9"), ("call", "room")])
@pytest.mark.parametrize(
    ("gone", "named"), [(["livekit.agents"], "livekit-agents"), (["livekit.agents", "livekit.rtc"], "and livekit,")]
)
def test_the_missing_extra_is_named_before_anything_starts(
    tracer: Tracer,
    monkeypatch: pytest.MonkeyPatch,
    command: Sequence[str],
    gone: Sequence[str],
    named: str,
) -> None:
    for module in gone:
        monkeypatch.setitem(sys.modules, module, None)
    line = tracer.fails(2, *command, **KEYS, LIVEKIT_URL="ws://127.0.0.1:9")
    assert f"`tracer {command[0]}` needs livekit-agents" in line
    assert named in line
    assert "pip install '.[demo]'" in line
    assert list(tracer.folder.iterdir()) == []


def test_the_extra_for_the_full_screen_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert extra.lacks_watch_extra() == ""
    monkeypatch.setitem(sys.modules, "textual", None)
    monkeypatch.setattr(extra, "find_spec", lambda _: None)
    assert "pip install '.[watch]'" in extra.lacks_watch_extra()
    assert "\n" not in extra.lacks_watch_extra()


@pytest.mark.parametrize("installed", ["1.3.12", "1.8.1"])
def test_livekit_agents_that_are_too_old_are_named_before_anything_starts(
    tracer: Tracer,
    monkeypatch: pytest.MonkeyPatch,
    installed: str,
) -> None:
    monkeypatch.setattr(extra, "version", lambda _: installed)
    line = tracer.fails(2, "demo")
    assert f"needs livekit-agents 1.8.2 or newer, and {installed} is installed here" in line
    assert list(tracer.folder.iterdir()) == []


def test_the_demo_needs_the_first_that_reports_a_started_session() -> None:
    [since] = {since.version for since in SINCE if "started its session" in since.reports}
    assert since == extra.DEMOS_AGENTS


@pytest.mark.parametrize(
    "command", [("doctor",), ("demo", "--server", DEV["LIVEKIT_URL"]), ("call", "room")], ids=lambda command: command[0]
)
def test_the_servers_key_pair_for_development_gives_no_warning(tmp_path: Path, command: Sequence[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tracer", *command],
        env=child_environment(XDG_STATE_HOME=str(tmp_path), **DEV),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode in (1, 2), "nobody listens there"
    assert "Warning" not in done.stderr
    assert "HMAC" not in done.stdout + done.stderr
