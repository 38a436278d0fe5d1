"""A PostgreSQL of the tests' own, on loopback: the binaries are Debian's ``postgresql``, or in PATH."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tracer.local_servers.ports import free_port
from tracer.local_servers.process import Process, child_environment
from tracer.store.postgres.migrations import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """The location of a fresh, empty database; ``durable``: what is committed outlives a crash of the machine."""
    initdb, server = required("initdb"), required("postgres")
    run_as = USER if os.geteuid() == 0 else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, USER, USER)
        su = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.geteuid() == 0 else []
        data, port = folder / "data", free_port()
        subprocess.run(
            [*su, initdb, "-D", data, "-A", "trust", "-U", run_as, "-E", "UTF8", "--no-locale", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
            env=child_environment(),
        )
        settings = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}"]
        settings += [] if durable else ["fsync=off", "full_page_writes=off"]
        command = [*su, server, "-D", str(data), *(part for one in settings for part in ("-c", one))]
        process = Process("postgres", command, folder=folder, environment=child_environment())
        process.start()
        try:
            process.wait_until(lambda: is_ready(folder, port))
            yield f"postgresql://{run_as}@127.0.0.1:{port}/postgres"
        finally:
            process.stop(1)  # it waits for its clients, and nothing of it is to be kept
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_ready(folder: Path, port: int) -> bool:
    command = [required("pg_isready"), "-q", "-h", str(folder), "-p", str(port)]
    return subprocess.run(command, check=False, env=child_environment()).returncode == 0


def emptied(location: str) -> str:
    """The same database, with nothing of tracer's in it."""
    with psycopg.connect(location, autocommit=True) as db:
        db.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    return location
