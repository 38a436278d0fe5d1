"""`tracer bundle`, and every command on what it wrote."""

from __future__ import annotations

import gzip
import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.moments import ROOM

if TYPE_CHECKING:
    from tests.cli.test_cli import Tracer

CALL = Path(__file__).parent.parent / "calls" / "case_away_bare.jsonl.gz"


pytestmark = pytest.mark.usefixtures("call_stored")


def test_every_command_reads_a_bundle_as_it_reads_the_room(tracer: Tracer) -> None:
    ran = tracer("bundle", "demo", "--store", "tracer.db", "-o", "call.gz", LIVEKIT_API_SECRET="tell nobody")  # noqa: S106
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "with pseudonyms" in ran.stdout
    file = tracer.folder / "call.gz"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    body = gzip.decompress(file.read_bytes()).decode()
    header = json.loads(body.partition("\n")[0])
    assert header["settings"] == {"store": "SQLite", "variables": ["LIVEKIT_API_SECRET"]}
    assert header["versions"]["livekit-tracer"]
    assert "tell nobody" not in body
    for command in (["timeline"], ["timeline", "--summary"], ["why"], ["check"], ["compare", ROOM]):
        mine = tracer(*command, "demo", "--store", "tracer.db")
        theirs = tracer(*command, "call.gz", "--store", "tracer.db")
        assert theirs.returncode == mine.returncode, theirs.stderr
        assert len(theirs.stdout.splitlines()) == len(mine.stdout.splitlines())
        assert ROOM in theirs.stdout
        assert "ada" not in theirs.stdout
    assert tracer("replay", "call.gz", "--store", "other.db").returncode == 0
    assert ROOM in tracer("rooms", "--store", "other.db").stdout


def test_a_bundle_of_a_bundle_is_the_same(tracer: Tracer) -> None:
    tracer("bundle", CALL, "-o", "one.gz")
    tracer("bundle", "one.gz", "-o", "two.gz")
    one, two = (gzip.decompress((tracer.folder / name).read_bytes()) for name in ("one.gz", "two.gz"))
    assert sorted(one.splitlines()) == sorted(two.splitlines())


def test_without_redaction_it_is_what_came_in(tracer: Tracer) -> None:
    ran = tracer("bundle", CALL, "-o", "call.gz", "--no-redact")
    assert "requests as they came" in ran.stdout
    assert "not redacted" in ran.stdout
    assert "has 2 rooms: this is the latest" in ran.stderr
    assert b'"webhook"' in gzip.decompress((tracer.folder / "call.gz").read_bytes())
    assert tracer("why", CALL).stdout.endswith(tracer("why", "call.gz").stdout)


@pytest.mark.parametrize("where", ["/nowhere/call.gz", "/"])
def test_a_file_that_cannot_be_written_is_one_line(tracer: Tracer, where: str) -> None:
    ran = tracer("bundle", "demo", "--store", "tracer.db", "-o", where)
    assert ran.returncode in (1, 2)
    assert "Traceback" not in ran.stderr


def test_an_unknown_room_is_one_line(tracer: Tracer) -> None:
    ran = tracer("bundle", "nobody", "--store", "tracer.db", "-o", "call.gz")
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert not (tracer.folder / "call.gz").exists()
