"""What is watched, on a terminal and in a pipe, with a process of its own."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, ROOM, moment
from tests.receiving import LIMIT
from tests.watch.test_rooms import created
from tracer import keys
from tracer.local_servers import child_environment
from tracer.moment import Kind
from tracer.store import Arrival

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracer.moment import Moment
    from tracer.store.sqlite import SqliteStore

pytestmark = pytest.mark.slow
SCREEN, BACK = b"\x1b[?1049h", b"\x1b[?1049l"
"""Switch to the terminal's second screen, and back: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html."""
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"
"""Hide and show the cursor."""
STARTS = 6 * LIMIT
"""Seconds: a busy machine takes long to start a process."""


def happened(kind: Kind, subject: str, **told: str) -> Moment:
    return moment(kind, subject, time.time_ns(), told=told)


class Terminal:
    """A process of `tracer` on a terminal of its own, and what it wrote."""

    def __init__(self, store: Path, *arguments: str, **environment: str) -> None:
        self.fd, inner = pty.openpty()
        termios.tcsetwinsize(inner, (24, 80))
        self.before = termios.tcgetattr(self.fd)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tracer", *arguments, "--store", str(store)],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=child_environment(TERM="xterm-256color", COLUMNS="80", LINES="24", CI="true", **environment),
            process_group=0,  # as a shell does: what is in a group without one who waits for it cannot be stopped
        )
        os.close(inner)
        self.wrote = b""

    def shows(self, what: bytes, within: float = STARTS) -> None:
        """Wait until it has written this."""
        end = time.monotonic() + within
        while what not in self.wrote:
            left = end - time.monotonic()
            assert left > 0, self.wrote[-2000:]
            if select.select([self.fd], [], [], left)[0]:
                try:
                    self.wrote += os.read(self.fd, 65536)
                except OSError:  # it has ended
                    assert what in self.wrote, self.wrote[-2000:]

    def ends(self) -> int:
        """How it ended; what it wrote until then is read."""
        while True:
            try:
                if not select.select([self.fd], [], [], STARTS)[0]:
                    break
                read = os.read(self.fd, 65536)
            except OSError:
                break
            if not read:
                break
            self.wrote += read
        return self.process.wait(STARTS)

    def close(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


@pytest.fixture
def follow(store: SqliteStore, path: Path) -> Iterator[Terminal]:
    store.add([Arrival((created(ROOM, time.time_ns(), "demo"),))])
    with closing(Terminal(path, "timeline", "demo", "--follow")) as terminal:
        yield terminal


def test_a_call_is_drawn_as_it_happens_and_its_timeline_stays(follow: Terminal, store: SqliteStore) -> None:
    follow.shows(b"room created")
    assert follow.wrote.index(SCREEN) < follow.wrote.index(b"room created")
    store.add([Arrival((happened(Kind.PARTICIPANT_JOINING, ADA, **{keys.PARTICIPANT_IDENTITY: "ada"}),))])
    follow.shows(b"ada JOINING", LIMIT)
    store.add([Arrival((happened(Kind.ROOM_FINISHED, ROOM),))])
    assert follow.ends() == 0
    last = follow.wrote.rpartition(BACK)[2]
    assert b"room created" in last
    assert b"ada JOINING" in last
    assert follow.wrote.rindex(SHOW) > follow.wrote.rindex(HIDE)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_however_it_is_ended_the_terminal_is_as_it_was(follow: Terminal, number: int, code: int) -> None:
    follow.shows(b"room created")
    assert not termios.tcgetattr(follow.fd)[3] & termios.ECHO
    follow.process.send_signal(number)
    assert follow.ends() == code
    assert termios.tcgetattr(follow.fd) == follow.before
    assert follow.wrote.count(SCREEN) == follow.wrote.count(BACK) == 1
    assert follow.wrote.rindex(SHOW) > follow.wrote.rindex(HIDE)
    assert b"room created" in follow.wrote.rpartition(BACK)[2], "and the timeline is there"
    assert b"Traceback" not in follow.wrote


def test_while_it_is_stopped_the_terminal_is_the_users(follow: Terminal) -> None:
    follow.shows(b"room created")
    follow.process.send_signal(signal.SIGTSTP)
    follow.shows(BACK, LIMIT)
    end = time.monotonic() + LIMIT
    while os.waitid(os.P_PID, follow.process.pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert follow.process.poll() is None, (follow.ends(), follow.wrote[-2000:])
    assert termios.tcgetattr(follow.fd) == follow.before
    before = len(follow.wrote)
    follow.process.send_signal(signal.SIGCONT)
    end = time.monotonic() + LIMIT
    while SCREEN not in follow.wrote[before:]:
        assert time.monotonic() < end
        follow.wrote += os.read(follow.fd, 65536)
    follow.process.send_signal(signal.SIGINT)
    assert follow.ends() == 130


@pytest.mark.parametrize(("how", "code"), [(b"q", 0), (b"\x03", 130), (signal.SIGTERM, 143)])
def test_the_full_screen_leaves_the_terminal_as_it_was(
    store: SqliteStore, path: Path, how: bytes | int, code: int
) -> None:
    store.add([Arrival((created(ROOM, time.time_ns(), "demo"),))])
    with closing(Terminal(path, "watch")) as terminal:
        terminal.shows(b"demo")
        if isinstance(how, bytes):
            os.write(terminal.fd, how)
        else:
            terminal.process.send_signal(how)
        assert terminal.ends() == code
        assert termios.tcgetattr(terminal.fd) == terminal.before
        assert terminal.wrote.rindex(BACK) > terminal.wrote.rindex(SCREEN)
        assert terminal.wrote.rindex(SHOW) > terminal.wrote.rindex(HIDE)


def piped(path: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tracer", *arguments, "--store", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment(COLUMNS="120"),
        text=True,
    )


def until(process: subprocess.Popen[str], what: str) -> str:
    """The line that has this in it; those before it are read."""
    assert process.stdout
    for line in process.stdout:
        assert re.fullmatch(r"[^\x00-\x1f\x7f]*\n", line), "no control codes"
        if what in line:
            return line
    raise AssertionError(what)


def test_in_a_pipe_each_moment_is_a_line_when_it_comes(store: SqliteStore, path: Path) -> None:
    with piped(path, "timeline", "demo", "--follow") as process:
        assert process.stderr
        assert "waiting for a room 'demo'" in process.stderr.readline()
        store.add([Arrival((created(ROOM, time.time_ns(), "demo"),))])
        until(process, "room created")
        store.add([Arrival((happened(Kind.PARTICIPANT_JOINING, ADA, **{keys.PARTICIPANT_IDENTITY: "ada"}),))])
        until(process, "ada JOINING")
        until(process, "not ACTIVE")
        store.add([Arrival((happened(Kind.ROOM_FINISHED, ROOM),))])
        until(process, "room finished")
        assert "closed after" in until(process, f"room demo   {ROOM}")
        assert process.wait(STARTS) == 0
        assert process.stderr.read() == ""


def test_in_a_pipe_each_change_of_a_room_is_a_line(store: SqliteStore, path: Path) -> None:
    with piped(path, "watch") as process:
        until(process, "no rooms yet")
        store.add([Arrival((created(ROOM, time.time_ns(), "demo"),))])
        assert "…  demo" in until(process, ROOM)
        store.add([Arrival((happened(Kind.ROOM_FINISHED, ROOM),))])
        until(process, "?  demo")
        process.send_signal(signal.SIGTERM)
        assert process.wait(STARTS) == 143
        assert process.stderr
        assert process.stderr.read() == ""
