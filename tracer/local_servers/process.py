"""A child process that ends with this one, with its output in a file."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from tracer.errors import DemoError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Process", "answers", "child_environment"]

PASSED_ON = (
    *("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"),
)
"""What a child may need to know of this machine: no keys, and nothing that changes what a server does."""

END_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent has ended")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Has Linux send SIGTERM when the parent ends, even by SIGKILL, and becomes the program. It is a program of its own:
code that runs between fork and exec can hang where there are threads."""


def child_environment(names: Sequence[str] = (), **more: str) -> dict[str, str]:
    """The few variables every child gets, those of ``names`` that are set here, and ``more``."""
    return {name: os.environ[name] for name in (*PASSED_ON, *names) if name in os.environ} | more


REPORTED_EVERY = 10.0
"""Seconds after which who waits is told that it goes on."""
MOST_BYTES = 16 * 1024 * 1024
"""Of an answer that are read."""


def answers(port: int, path: str = "/", as_expected: Callable[[bytes], bool] = lambda _: True) -> bool:
    """Whether an HTTP server on loopback answers 200, as expected.

    Not by urllib, which would use the environment's proxy.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status == http.HTTPStatus.OK and as_expected(answer.read(MOST_BYTES))
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _message(line: str) -> str:
    """A line of a log for a person; livekit-agents writes JSON."""
    try:
        entry = json.loads(line)
        parts = [
            entry["message"],
            *(str(entry[key]).strip().splitlines()[-1] for key in ("error", "exc_info") if entry.get(key)),
        ]
    except (ValueError, TypeError, KeyError, IndexError):
        return line.strip()
    return ": ".join(map(str, parts))


class Process:
    """One child in a session of its own, so that Ctrl-C does not reach it: whoever started it ends it, in order.

    Start it from the main thread or one that stays: on Linux the child ends with the thread that started it.
    """

    def __init__(self, name: str, command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.command = list(command)
        self.folder = folder
        self.environment = dict(environment)
        self.log = folder / f"{name}.log"
        """What it prints, both streams; a second start appends."""
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in its folder. Raises DemoError when there is no such program, and on Windows."""
        if not hasattr(os, "killpg"):
            raise DemoError(f"cannot start {self.name}: tracer starts servers on Linux and macOS only")
        program = shutil.which(self.command[0], path=self.environment.get("PATH"))
        if program is None:
            raise DemoError(f"cannot start {self.name}: no program {self.command[0]!r}")
        command = [program, *self.command[1:]]
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", "-c", END_WITH_PARENT, str(os.getpid()), *command]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603  its command is ours
                command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        """Its process id, also after its end; None before the start."""
        return None if self._child is None else self._child.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return None if self._child is None else self._child.poll()

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def last_lines(self, count: int = 1) -> list[str]:
        """The end of its output, without empty lines."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [_message(line) for line in lines if line.strip()][-count:]

    def wait_until(
        self,
        condition: Callable[[], bool],
        limit: float = 30.0,
        *,
        what: str = "ready",
        report: Callable[[str], None] | None = None,
    ) -> None:
        """Wait for ``condition``. Raises DemoError when the process ends first, or after ``limit`` seconds.

        ``report`` gets a sentence now and then that says how long it has been waited.
        """
        begun = time.monotonic()
        end, reported = begun + limit, begun
        while not condition():
            if report and time.monotonic() - reported >= REPORTED_EVERY:
                reported = time.monotonic()
                report(f"{self.name} is not {what} after {reported - begun:.0f} s, waiting up to {limit:g} s")
            last = "".join(f": {line}" for line in self.last_lines())
            if not self.running:
                raise DemoError(f"{self.name} ended with code {self.returncode} before it was {what}{last}")
            if time.monotonic() > end:
                raise DemoError(f"{self.name} was not {what} after {limit:g} s{last}")
            time.sleep(0.05)

    def wait(self, limit: float) -> bool:
        """Wait for its end; False when it still runs after ``limit`` seconds."""
        if self._child is None:
            return True
        try:
            self._child.wait(limit)
        except subprocess.TimeoutExpired:
            return False
        return True

    def run_to_end(self, limit: float, report: Callable[[float], None]) -> float:
        """Run it to its end; returns the seconds it took. ``report`` gets the seconds so far every other second.

        Raises DemoError when it fails or is not done after ``limit`` seconds.
        """
        begun = time.monotonic()
        with self:
            while not self.wait(2):
                elapsed = time.monotonic() - begun
                if elapsed > limit:
                    raise DemoError(f"{self.name} was not done after {elapsed:.0f} s")
                report(elapsed)
        if self.returncode != 0:
            raise DemoError(" ".join(self.last_lines()) or f"{self.name} ended with code {self.returncode}")
        return time.monotonic() - begun

    def stop(self, limit: float = 8.0) -> None:
        """End it, and whatever it started in its session. Does nothing when there is nothing to end.

        A second SIGTERM comes after half the time: a LiveKit server waits for its participants, but not twice.
        """
        if self._child is None:
            return
        for _ in range(2):
            if self._child.poll() is None:
                self._child.terminate()
                self.wait(limit / 2)
        with suppress(ProcessLookupError, PermissionError):  # macOS raises the latter for a group that has ended
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
