"""What happens to the store's file: the disk is full, the file is locked, deleted, renamed or cut off."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from tests.chaos.balance import left
from tests.chaos.kills import calm
from tests.chaos.ledger import Acknowledged
from tests.chaos.load import Load
from tests.chaos.options import Row
from tests.chaos.recorded import HEALTHY
from tests.chaos.running import Receiver, until
from tracer.local_servers import answers
from tracer.store import open_reader
from tracer.units import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.chaos.options import Options

__all__ = ["run"]

SMALL, LARGE = 2, 256
"""MiB of the disk that becomes full, and of the same disk later."""
REFUSED = 30
"""Answers of 503 until the disk counts as full."""
NOTICED_WITHIN, LOCKED_WITHIN = 1.0, 2.0
"""Seconds until a request is refused whose store is gone, and one whose store another process has locked."""


class Disk:
    """A file system of its own where one may be mounted; else a limit to the size of the receiver's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.mounted = not self._mount("-t", "tmpfs", "-o", f"size={SMALL}m", "tmpfs")

    @property
    def what(self) -> str:
        return f"a file system of {SMALL} MiB" if self.mounted else f"files of {SMALL} MiB at most"

    def limit(self, receiver: Receiver) -> None:
        """Where nothing could be mounted."""
        if not self.mounted and receiver.pid:
            resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (SMALL * 1024 * 1024, resource.RLIM_INFINITY))

    def grow(self, receiver: Receiver) -> None:
        """There is space again."""
        if self.mounted:
            self._mount("-o", f"remount,size={LARGE}m")
        elif receiver.pid:
            resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)

    def _mount(self, *how: str) -> int:
        return subprocess.run(["mount", *how, str(self.folder)], check=False, capture_output=True).returncode


async def run(options: Options, names: Sequence[str] = HEALTHY) -> list[Row]:
    """Each with a receiver of its own."""
    rows = [await _full(options, names)]
    rows += [await _gone(options, how) for how in GONE]
    return [*rows, await _locked(options)]


@contextmanager
def _receiver(folder: Path, store: Path) -> Iterator[Receiver]:
    receiver = Receiver(folder, store)
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.kill()


async def _full(options: Options, names: Sequence[str]) -> Row:
    """Under load until nothing more can be stored; killed and started so; then there is space again."""
    known = await calm(options.folder / "calm", names)
    disk = Disk(options.folder / "disk")
    store = disk.folder / "tracer.db"
    try:
        with _receiver(options.folder, store) as receiver:
            await receiver.ready()
            disk.limit(receiver)
            async with Load(receiver.address, Acknowledged(options.folder / "full.txt"), names).connected() as load:
                over = asyncio.Event()
                sending = asyncio.create_task(load.run(options.senders, 0, over))
                await until(lambda: load.answers[503] >= REFUSED, 120, "full")
                healthy = answers(receiver.port, "/healthz")
                before = len(load.ledger.entries())
                receiver.kill()
                receiver.start()
                disk.limit(receiver)
                await until(lambda: receiver.listens() or not receiver.running, 30, "started on a full disk")
                if not (started := receiver.running):
                    receiver.start()
                disk.grow(receiver)
                await receiver.ready()
                over.set()
                await sending
            await until(lambda: _unread(store) == 0, 120, "read")
            await asyncio.to_thread(receiver.terminate)
            found = left(load.calls, store, ())
    finally:
        disk.close()
    lack = [call for call in load.calls if known[call.recording].moments - found[call.number].moments]
    outcome = (
        f"{load.answers[503]} requests refused with 503; of {before:,} acknowledged before and"
        f" {len(load.ledger.entries()) - before:,} when there was space again {len(lack) or 'none'} lost;"
        f" /healthz {'was 200: its own small write fitted' if healthy else 'was 503 too'}; killed while the disk is"
        f" full, it {'starts' if started else 'does not start until there is space'}"
    )
    return Row(f"Disk full under load ({disk.what})", "1 time", outcome, not lack)


def _unread(store: Path) -> int:
    """How much of what is stored nobody has read yet."""
    with closing(open_reader(str(store))) as reader:
        return reader.unread()


def _delete(store: Path) -> None:
    store.unlink()


def _rename(store: Path) -> None:
    store.rename(store.with_suffix(".old"))


def _replace(store: Path) -> None:
    store.unlink()
    store.write_bytes(b"")


def _cut_to_half(store: Path) -> None:
    os.truncate(store, store.stat().st_size // 2)


def _cut_to_nothing(store: Path) -> None:
    os.truncate(store, 0)


GONE: dict[str, Callable[[Path], None]] = {
    "deleted": _delete,
    "renamed": _rename,
    "replaced by an empty file": _replace,
    "cut to half": _cut_to_half,
    "cut to nothing": _cut_to_nothing,
}
TIMES = 3
"""How often each is done."""


async def _gone(options: Options, how: str) -> Row:
    """Under load: the last answer of 200 that comes after it, if any, comes within a second."""
    slowest, unhealthy, lines = 0.0, True, 0
    for number in range(TIMES):
        folder = options.folder / f"{how.replace(' ', '-')}-{number}"
        folder.mkdir()
        store = folder / "tracer.db"
        with _receiver(folder, store) as receiver:
            await receiver.ready()
            async with Load(receiver.address, Acknowledged(folder / "acknowledged.txt"), HEALTHY).connected() as load:
                for _ in range(3):
                    await load.send(load.call())
                GONE[how](store)
                began, call = time.monotonic(), load.call()
                for request in call.requests:
                    if await load.post(request) == 200:
                        slowest = max(slowest, time.monotonic() - began)
                    await asyncio.sleep(0.02)
                unhealthy &= not answers(receiver.port, "/healthz")
                lines = max(lines, receiver.log.read_text(encoding="utf-8").count("ERROR"))
    after = f"the last request was acknowledged {slowest:.2f} s after it" if slowest else "no request was acknowledged"
    health = "/healthz too" if unhealthy else "/healthz says all is well"
    outcome = f"{after}; then 503, {health}; at most {lines} {plural(lines, 'line')} in the log"
    return Row(f"Store {how} under load", f"{TIMES} times", outcome, slowest <= NOTICED_WITHIN and unhealthy)


async def _locked(options: Options) -> Row:
    """By another process, for longer than anybody waits."""
    folder = options.folder / "locked"
    folder.mkdir()
    store = folder / "tracer.db"
    took, statuses = [], set()
    with _receiver(folder, store) as receiver:
        await receiver.ready()
        async with Load(receiver.address, Acknowledged(folder / "acknowledged.txt"), HEALTHY).connected() as load:
            for _ in range(TIMES):
                await load.send(load.call())
                with closing(sqlite3.connect(store, isolation_level=None)) as other:
                    other.execute("BEGIN IMMEDIATE")
                    for request in load.call().requests[:3]:
                        began = time.monotonic()
                        statuses.add(await load.post(request))
                        took.append(time.monotonic() - began)
                    other.execute("ROLLBACK")
            again = await load.post(load.calls[-1].requests[0])
    right = statuses == {503} and max(took) <= LOCKED_WITHIN and again == 200
    said = ", ".join(map(str, sorted(statuses)))
    outcome = f"answered {said} within {max(took):.1f} s; {again} when it is free again"
    return Row("Store locked by another process", f"{len(took)} requests", outcome, right)
