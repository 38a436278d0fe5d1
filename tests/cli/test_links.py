"""Links in a terminal, a pseudo-terminal being one; and never in a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.moments import ABOUT_ROOM, ROOM, call, moment, ms
from tracer import ids, keys
from tracer.cli.links import linked, room_links
from tracer.moment import Kind
from tracer.settings import terminal_has_links
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.view.link import page_link

ROOT = Path(__file__).parents[2]
PAGE, JAEGER = "http://127.0.0.1:7890", "http://127.0.0.1:16686"
TRACE = f"{JAEGER}/trace/{ids.trace_id(ROOM):032x}"
HOSTILE = "RM_\x1b]8;;evil\x1b\\x"
LINK = re.compile(r"\x1b\]8;[^;]*;([^\x1b]*)\x1b\\([^\x1b]*)")
"""Where an OSC 8 link leads, and its text."""
NAMES = ("FORCE_HYPERLINK", "TERM", "TERM_PROGRAM", "VTE_VERSION", "KONSOLE_VERSION", "WT_SESSION", "DOMTERM")


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    path = tmp_path / "tracer.db"
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(call()))])
        named = {**ABOUT_ROOM, keys.ROOM_NAME: "another"}
        store.add([Arrival((moment(Kind.ROOM_CREATED, HOSTILE, ms(9000), room=HOSTILE, told=named),))])
    return path


def shown(store: Path, environment: dict[str, str], *arguments: str, terminal: bool = True) -> str:
    """What a command prints, on a terminal or into a pipe."""
    known = {name: value for name, value in os.environ.items() if name not in (*NAMES, "NO_COLOR", "COLORTERM")}
    env = {**known, "TRACER_STORE": str(store), "PYTHONPATH": str(ROOT), "COLUMNS": "120", **environment}
    command = [sys.executable, "-m", "tracer", *arguments]
    if not terminal:
        return subprocess.run(
            command, env=env, cwd=store.parent, capture_output=True, check=True, timeout=60
        ).stdout.decode()
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=env, cwd=store.parent, stdout=theirs, stderr=theirs, stdin=theirs) as child:
        os.close(theirs)
        found = b""
        with suppress(OSError):  # Linux's way to say that the other end is closed
            while piece := os.read(ours, 65536):
                found += piece
        os.close(ours)
    assert child.returncode == 0, found
    return found.decode()


def links(text: str) -> list[tuple[str, str]]:
    return [(address, words) for address, words in LINK.findall(text) if address]


@pytest.mark.slow
def test_a_terminal_that_shows_links_gets_them(calls: Path) -> None:
    here = {"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}
    listed = links(shown(calls, here | {"TRACER_ENDPOINT": PAGE}, "rooms"))
    assert (page_link(ROOM, PAGE), ROOM) in listed
    assert len(listed) == 2
    assert all(address.startswith(f"{PAGE}/#room=RM_") for address, _ in listed)
    with_jaeger = here | {"TRACER_JAEGER_URL": JAEGER}
    assert (TRACE, ROOM) in links(shown(calls, with_jaeger, "rooms"))
    assert links(shown(calls, with_jaeger, "timeline", ROOM)) == [(TRACE, TRACE)]
    assert links(shown(calls, here, "rooms")) == []


@pytest.mark.slow
def test_no_other_does_nor_a_pipe_or_a_file(calls: Path) -> None:
    set_up = {"TRACER_ENDPOINT": PAGE, "TRACER_JAEGER_URL": JAEGER, "FORCE_HYPERLINK": "1", "TERM": "xterm-kitty"}
    assert "\x1b" not in shown(calls, set_up, "rooms", terminal=False)
    assert shown(calls, set_up, "timeline", ROOM, terminal=False).endswith(f"in Jaeger: {TRACE}\n")
    assert links(shown(calls, set_up | {"FORCE_HYPERLINK": "", "TERM": "linux"}, "rooms")) == []
    shown(calls, set_up, "rooms", "-o", str(calls.parent / "rooms.txt"))
    assert "\x1b" not in (calls.parent / "rooms.txt").read_text()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://a\x07b", "http://a/\N{SNOWMAN}"])
def test_an_address_that_a_terminal_would_act_on_is_no_link(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.setenv("TRACER_ENDPOINT", address)
    monkeypatch.delenv("TRACER_JAEGER_URL", raising=False)
    assert room_links() is None
    assert linked("text", address) == "text"
    assert linked("text", PAGE) == f"\x1b]8;;{PAGE}\x1b\\text\x1b]8;;\x1b\\"


@pytest.mark.parametrize(
    ("environment", "has"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "4999"}, False),
        ({"TERM": "xterm-256color", "VTE_VERSION": "new"}, False),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "230800"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM": "xterm-256color", "WT_SESSION": "1"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "WezTerm"}, False),
        ({"TERM": "dumb", "TERM_PROGRAM": "vscode"}, False),
        ({"TERM": "xterm-256color", "FORCE_HYPERLINK": "1"}, True),
        ({"TERM": "xterm-kitty", "FORCE_HYPERLINK": "0"}, False),
    ],
)
def test_which_terminals_show_links(environment: dict[str, str], has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert terminal_has_links() is has
