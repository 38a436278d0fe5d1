"""A PostgreSQL of the tests' own, on loopback: the binaries are Debian's ``postgresql``, or in PATH."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg
import pytest

from tracer.errors import DemoError
from tracer.local_servers.ports import free_port
from tracer.local_servers.process import Process, child_environment
from tracer.store.postgres.migrations import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTS = 20
USER = "postgres"
"""Debian's user. PostgreSQL refuses to run as root, as tests do in a container."""


@cache
def program(name: str) -> str | None:
    """Where a program of PostgreSQL is; the newest of Debian's, which are not in PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(debian[-1]) if debian else shutil.which(name)


def required(name: str) -> str:
    """The program; without it the test is skipped, or fails in CI."""
    found = program(name)
    if found is None:
        why = f"{name} is not here: apt-get install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return found


class Postgres:
    """A fresh, empty database, until the end of the block. Raises DemoError when it does not start."""

    def __init__(self, *, durable: bool = False) -> None:
        """``durable``: what is committed outlives a crash of the machine, which takes longer."""
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._port = free_port()
        as_root = os.geteuid() == 0
        user = USER if as_root else getpass.getuser()
        self.location = f"postgresql://{user}@127.0.0.1:{self._port}/postgres"
        """As `--store` takes it."""
        if as_root:
            shutil.chown(self._folder, USER, USER)
        su = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if as_root else []
        self.data = self._folder / "data"
        """Where its files are."""
        data = str(self.data)
        subprocess.run(
            [*su, required("initdb"), "-D", data, "-A", "trust", "-U", user, "-E", "UTF8", "--no-locale", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=self._folder,
            env=child_environment(),
        )
        settings = ["listen_addresses=127.0.0.1", f"port={self._port}", f"unix_socket_directories={self._folder}"]
        settings += [] if durable else ["fsync=off", "full_page_writes=off"]
        command = [*su, required("postgres"), "-D", data, *(part for one in settings for part in ("-c", one))]
        self._process = Process("postgres", command, folder=self._folder, environment=child_environment())

    def start(self) -> None:
        """Start it, also after it was killed, and wait until it answers."""
        for attempt in range(STARTS):
            self._process.start()
            try:
                self._process.wait_until(self._is_ready)
            except DemoError:  # processes of the one that was killed have not noticed yet that it is gone
                if attempt == STARTS - 1:
                    raise
                time.sleep(0.5)
            else:
                return

    @property
    def pid(self) -> int | None:
        """Its first process."""
        return self._process.pid

    def kill(self) -> None:
        """End it at once; its processes end when they notice."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(30)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It answers nothing until the end of the block, and breaks no connection: as where its disk hangs (Linux)."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGSTOP)  # first: it starts no other
        parents = {
            int(one.parent.name): int(one.read_text().rpartition(")")[2].split()[1])
            for one in Path("/proc").glob("[0-9]*/stat")
            if one.exists()
        }
        its = [self.pid, *(pid for pid, parent in parents.items() if parent == self.pid)]
        for pid in its:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in its:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _is_ready(self) -> bool:
        command = [required("pg_isready"), "-q", "-h", str(self._folder), "-p", str(self._port)]
        return subprocess.run(command, check=False, env=child_environment()).returncode == 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop(1)  # it waits for its clients, and nothing of it is to be kept
        shutil.rmtree(self._folder, ignore_errors=True)


def emptied(location: str) -> str:
    """The same database, with nothing of tracer's in it."""
    with psycopg.connect(location, autocommit=True) as db:
        db.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    return location
