from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple
from unittest import mock

import pytest

from tests.moments import ABOUT_ROOM, ROOM, call, moment, ms
from tests.receiving import LIMIT
from tracer import __version__, keys
from tracer.cli import COMMANDS, main
from tracer.moment import Kind
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.timeline.fold import fold
from tracer.view import json as json_view

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {"LIVEKIT_API_KEY": "APIkey", "LIVEKIT_API_SECRET": "a secret of at least thirty-two characters"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "tracer.db"
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival(tuple(call()))])
    return path


class Ran(NamedTuple):
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


class Tracer:
    """Runs `tracer` in a folder of its own, without anything of ours in its environment.

    Within this process, for a new one takes a second to start. What only a process can show has one of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str | bytes | Path, **environment: str) -> Ran:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("LIVEKIT_", "TRACER_", "OTEL_"))}
        home = {"HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder / "state")}
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        thresholds = gc.get_threshold()
        try:
            with (
                mock.patch.dict(os.environ, {**kept, **home, **environment}, clear=True),
                contextlib.chdir(self.folder),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                code = main([os.fsdecode(argument) for argument in arguments])
        except SystemExit as done:
            code = done.code
        finally:
            gc.set_threshold(*thresholds)
        return Ran(code or 0, *(stream.buffer.getvalue().decode() for stream in (out, err)))

    def fails(self, code: int, *arguments: str | bytes | Path, **environment: str) -> str:
        """The one line on stderr with which it fails."""
        ran = self(*arguments, **environment)
        assert (ran.returncode, ran.stdout) == (code, "")
        assert "Traceback" not in ran.stderr
        (line,) = ran.stderr.splitlines()
        assert line.startswith("tracer: ")
        return line

    def misused(self, *arguments: str | Path, **environment: str) -> str:
        """What it says of misuse: how it is used, and last what was wrong."""
        ran = self(*arguments, **environment)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert "Traceback" not in ran.stderr
        return ran.stderr.splitlines()[-1]


@pytest.mark.parametrize("room", ["nobody", "RM_nobody", "", b"\xff", "two\nlines", "\x1b[31mred", "%"])
def test_an_unknown_room_is_one_line_and_exit_1(tracer: Tracer, store: Path, room: str | bytes) -> None:
    line = tracer.fails(1, "timeline", "--store", store, "--", room)
    assert "no room" in line
    assert "tracer rooms" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("command", [["timeline", "demo"], ["rooms"]])
def test_a_store_that_is_not_there_is_one_line_and_exit_1(tracer: Tracer, command: list[str]) -> None:
    assert "no store at" in tracer.fails(1, *command)
    assert "here.db" in tracer.fails(1, *command, TRACER_STORE="here.db")
    assert list(tracer.folder.iterdir()) == []


@pytest.mark.parametrize("command", [["timeline", "demo"], ["rooms"], ["serve", "--port", "0"]])
@pytest.mark.parametrize("kind", ["notes", "database", "folder"])
def test_a_file_that_is_no_store_is_one_line_and_exit_1(tracer: Tracer, command: list[str], kind: str) -> None:
    path = tracer.folder / "other.db"
    if kind == "notes":
        path.write_text("somebody's notes" * 100)
    elif kind == "folder":
        path.mkdir()
    else:
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE recipes (name TEXT)")
            other.commit()
    assert str(path) in tracer.fails(1, *command, "--store", path, **KEYS)


@pytest.mark.parametrize("command", [["timeline", "demo"], ["rooms"], ["serve"]])
def test_a_store_of_another_kind_is_misuse(tracer: Tracer, command: list[str]) -> None:
    assert "jaeger+http" in tracer.fails(2, *command, "--store", "jaeger+http://127.0.0.1:16686", **KEYS)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "127.0.0.1:16686"])
def test_an_address_of_jaeger_that_no_browser_opens_is_misuse(tracer: Tracer, store: Path, address: str) -> None:
    line = tracer.fails(2, "timeline", "demo", "--store", store, "--jaeger-url", address)
    assert "--jaeger-url" in line
    assert repr(address) in line


@pytest.mark.parametrize(
    "missing", [["LIVEKIT_API_KEY"], ["LIVEKIT_API_SECRET"], ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"]]
)
def test_serving_without_keys_is_misuse_and_names_them(tracer: Tracer, missing: list[str]) -> None:
    line = tracer.fails(2, "serve", "--port", "0", **{key: value for key, value in KEYS.items() if key not in missing})
    assert all(name in line for name in missing)
    assert list(tracer.folder.iterdir()) == []


@pytest.mark.parametrize("url", ["localhost:7880", "ftp://127.0.0.1", "7880"])
def test_serving_for_a_url_that_is_none_is_misuse(tracer: Tracer, url: str) -> None:
    line = tracer.fails(2, "serve", "--port", "0", LIVEKIT_URL=url, **KEYS)
    assert "LIVEKIT_URL" in line
    assert repr(url) in line


def test_exporting_to_itself_is_misuse(tracer: Tracer) -> None:
    target = "http://localhost:7890"
    line = tracer.fails(2, "serve", "--store", "a.db", OTEL_EXPORTER_OTLP_ENDPOINT=target, **KEYS)
    assert "points at port 7890 of this machine" in line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--nothing-such"], "--nothing-such"),
        (["nothing-such"], "nothing-such"),
        (["timeline"], "ROOM"),
        (["timeline", "demo", "--nothing-such"], "--nothing-such"),
        (["timeline", "demo", "--format", "nothing-such"], "nothing-such"),
        (["timeline", "demo", "more"], "more"),
        (["rooms", "-n", "0"], "0"),
        (["rooms", "-n", "many"], "many"),
        (["serve", "--port", "65536"], "65536"),
        (["serve", "--port", "-1"], "-1"),
        (["serve", "--keep", "30"], "a number and m or h or d, as 30d"),
        (["observe", "--max-size", "0GB"], "a number and MB or GB or TB, as 2GB"),
        (["forget"], "ROOM|IDENTITY"),
    ],
)
def test_misuse_is_named_and_exits_with_2(tracer: Tracer, arguments: list[str], named: str) -> None:
    assert named in tracer.misused(*arguments)


def test_rooms_are_forgotten_when_that_is_agreed_to(
    tracer: Tracer, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert "no room 'bob'" in tracer.fails(1, "forget", "bob", "--yes", "--store", store)
    assert tracer("forget", "ada", "--store", store).returncode == 130
    assert "  1 room, from" in tracer("store", "--store", store).stdout
    assert tracer("forget", "ada", "--yes", "--store", store).stdout == "1 room deleted\n"
    assert "  0 rooms" in tracer("store", "--store", store).stdout
    assert json.loads(tracer("store", "--store", store, "--format", "json").stdout)["rooms"] == 0


@pytest.mark.parametrize("command", [[], *([command] for command in COMMANDS)])
def test_every_command_has_help_with_an_example(tracer: Tracer, command: list[str]) -> None:
    for option in ("-h", "--help"):
        ran = tracer(*command, option)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert not command or "Example" in ran.stdout


def test_the_version_is_told(tracer: Tracer) -> None:
    assert __version__ in tracer("--version").stdout


@pytest.mark.parametrize("room", ["demo", ROOM])
def test_the_timeline_as_json(tracer: Tracer, store: Path, room: str) -> None:
    ran = tracer("timeline", room, "--store", store, "--format", "json")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout) == json.loads(json.dumps(json_view.timeline(fold(ROOM, call()))))


def test_json_holds_every_field_of_its_schema_and_unknown_ones_as_null(tracer: Tracer, store: Path) -> None:
    told = json.loads(tracer("timeline", "demo", "--store", store, "--format", "json").stdout)
    assert told["schema"] == "tracer.timeline/1"
    fields = {
        "participants": "sid identity kind state joining joined active left disconnect_reason attributes",
        "dispatches": "id agent_name mode created jobs",
        "jobs": "id dispatch_id agent_name worker_id participant_identity status offered received accepted assigned"
        " entrypoint_started ended",
        "moments": "kind subject time earliest latest offset_ms occurrence witnesses clock facts",
        "gaps": "from to ms owner",
    }
    assert list(told) == ["schema", "room", *fields]
    assert list(told["room"]) == [
        "sid",
        "name",
        "created",
        "finished",
        "created_by",
        "creator",
        "end_reason",
        "listened_until",
        "trace_id",
    ]
    for section, names in fields.items():
        assert told[section]
        assert all(list(item) == names.split() for item in told[section]), section
    agent = next(p for p in told["participants"] if p["kind"] == "AGENT")
    assert agent["joined"] is None
    assert told["room"]["created"] == "2025-11-22T19:51:06.000500000Z"
    assert told["moments"][0]["offset_ms"] == 0.0


def test_a_room_of_which_nearly_nothing_is_known_is_json_too(tracer: Tracer, tmp_path: Path) -> None:
    path = tmp_path / "bare.db"
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival((moment(Kind.PARTICIPANT_LEFT, "PA_x", ms(1)),))])
    told = json.loads(tracer("timeline", ROOM, "--store", path, "--format", "json").stdout)
    assert told["room"] == {
        "sid": ROOM,
        "name": None,
        "created": None,
        "finished": None,
        "created_by": None,
        "creator": None,
        "end_reason": None,
        "listened_until": None,
        "trace_id": fold(ROOM, []).trace_id,
    }
    assert told["participants"][0]["state"] == "DISCONNECTED"


def test_json_goes_to_a_file_when_told(tracer: Tracer, store: Path) -> None:
    ran = tracer("timeline", "demo", "--store", store, "--format", "json", "-o", "out.json")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert json.loads((tracer.folder / "out.json").read_text())["room"]["sid"] == ROOM


def test_a_file_that_cannot_be_written_is_one_line_and_exit_1(tracer: Tracer, store: Path) -> None:
    line = tracer.fails(1, "timeline", "demo", "--store", store, "--format", "json", "-o", "no/such/folder.json")
    assert "cannot write no/such/folder.json" in line


@pytest.mark.parametrize(
    ("command", "holds"),
    [
        (["timeline", "demo"], "job offered"),
        (["rooms"], "demo"),
        (["stats"], "1 room"),
        (["compare", "demo", "demo"], "A  demo"),
    ],
)
def test_every_view_goes_to_a_file_as_wide_as_told_and_without_colours(
    tracer: Tracer, store: Path, command: list[str], holds: str
) -> None:
    ran = tracer(*command, "--store", store, "-o", "out.txt", "--width", "70", FORCE_COLOR="1")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    text = (tracer.folder / "out.txt").read_text(encoding="utf-8")
    assert holds in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 70


@pytest.mark.parametrize("command", [["timeline", "demo"], ["rooms"], ["stats"], ["compare", "demo", "demo"]])
def test_every_json_names_its_schema(tracer: Tracer, store: Path, command: list[str]) -> None:
    ran = tracer(*command, "--store", store, "--format", "json", "-o", "out.json")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    shown = json.loads((tracer.folder / "out.json").read_text(encoding="utf-8"))
    assert shown["schema"] == f"tracer.{command[0]}/1"


def test_a_name_no_terminal_should_act_on_is_harmless_in_json(tracer: Tracer, tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    name = "\x1b[31mred\ud83d\udca5 \u202e"
    told = {**ABOUT_ROOM, keys.ROOM_NAME: name.encode("utf-16", "surrogatepass").decode("utf-16")}
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival((moment(Kind.ROOM_CREATED, ROOM, ms(0), told=told),))])
    ran = tracer("timeline", ROOM, "--store", path, "--format", "json")
    assert ran.stdout.isascii()
    assert "\x1b" not in ran.stdout
    assert json.loads(ran.stdout)["room"]["name"] == told[keys.ROOM_NAME]


def test_the_rooms_as_json(tracer: Tracer, store: Path) -> None:
    listed = json.loads(tracer("rooms", "--store", store, "--format", "json").stdout)
    assert list(listed) == ["schema", "rooms"]
    assert listed["schema"] == "tracer.rooms/1"
    (room,) = listed["rooms"]
    known = ["sid", "name", "created", "finished", "participants", "agents", "listened_until"]
    assert list(room) == [*known, "well", "causes", "ready_ms"]
    assert (room["sid"], room["name"], room["participants"], room["agents"]) == (ROOM, "demo", 1, 1)


def test_the_rooms_through_a_pipe_have_no_colours(tracer: Tracer, store: Path) -> None:
    ran = tracer("rooms", "--store", store)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "demo" in ran.stdout
    assert "\x1b" not in ran.stdout


def test_a_reader_that_goes_away_is_no_error(store: Path) -> None:
    command = f"{sys.executable} -m tracer timeline demo --store '{store}' --format json | true"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=3 * LIMIT)
    assert ran.stderr == ""
