"""`tracer demo` as its user runs it: what it shows, twice in a row, interrupted, and without a server."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.calls import wait_for
from tracer.demo.scenarios import SCENARIOS
from tracer.local_servers import child_environment
from tracer.store import open_reader

if TYPE_CHECKING:
    from tracer.local_servers import Jaeger, LiveKitServer

LIMIT = 240.0
PAGE = "The page of a trace"
ANSWERED = (
    SCENARIOS["automatic"].question,
    "So the agent is requested at",
    "ada ACTIVE",
    "job offered",
    "session started",
)


def command(store: Path) -> list[str]:
    return [sys.executable, "-m", "tracer", "demo", "--store", str(store)]


def environment(livekit: LiveKitServer, tmp: Path) -> dict[str, str]:
    """The demo's own search finds the server that the tests run with; its temporary files are ours to look at."""
    path = os.pathsep.join([str(tmp), os.environ["PATH"]])
    (tmp / "livekit-server").symlink_to(livekit.program.path)
    return child_environment(PATH=path, TMPDIR=str(tmp))


def processes_of(tmp: Path) -> list[str]:
    """Command lines of processes that run in a folder below this one."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            folder = (process / "cwd").readlink()
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder.is_relative_to(tmp):
            found.append(line)
    return found


def test_twice_in_a_row_it_shows_a_call_and_answers(livekit: LiveKitServer, tmp_path: Path) -> None:
    # Not consent to call there: nobody listens on that port.
    env = environment(livekit, tmp_path) | {"LIVEKIT_URL": "ws://127.0.0.1:9"}
    sids = set()
    for _ in range(2):
        done = subprocess.run(
            command(tmp_path / "d.db"), env=env, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        assert "\x1b" not in done.stdout, "a pipe gets no colour codes"
        shown = " ".join(done.stdout.split())
        for expected in (*ANSWERED, "created by ada's join"):
            assert expected in shown
        # A command is one line, to be copied.
        prose = [
            line for line in done.stdout.splitlines() if not line.startswith(("again: ", "order: ", "learn: ", "why: "))
        ]
        assert max(map(len, prose)) <= 80
        sids.add(next(word for word in done.stdout.split() if word.startswith("RM_")))
        assert not processes_of(tmp_path)
    assert len(sids) == 2
    assert not list(tmp_path.glob("tracer-demo-*")), "its temporary folder is gone"


def test_two_at_once_are_two_calls_and_neither_is_in_the_users_store(livekit: LiveKitServer, tmp_path: Path) -> None:
    users = tmp_path / "users.db"
    env = environment(livekit, tmp_path) | {"XDG_STATE_HOME": str(tmp_path / "state"), "TRACER_STORE": str(users)}
    demos = [
        subprocess.Popen([sys.executable, "-m", "tracer", "demo"], env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        shown = [demo.communicate(timeout=LIMIT)[0] for demo in demos]
    finally:
        for demo in demos:
            demo.kill()
    assert [demo.returncode for demo in demos] == [0, 0]
    assert not users.exists()
    sids = set()
    for said in shown:
        again = next(line for line in said.splitlines() if line.startswith("again: "))
        *_, sid, option, store = again.split()
        assert option == "--store"
        with closing(open_reader(store)) as reader:
            assert [room.sid for room in reader.rooms(10)] == [sid]
            assert len({moment.subject for moment in reader.moments("")}) == 1, "its own worker"
        assert set(re.findall(r"RM_\w+", said)) == {sid}
        sids.add(sid)
    assert len(sids) == 2
    assert len(list((tmp_path / "state" / "livekit-tracer" / "demos").glob("*.db"))) == 2


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("moment", ["starting tracer serve", "starting an agent", "ada calls", "waiting for the room"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_behind(
    livekit: LiveKitServer, tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    env = environment(livekit, tmp_path) | {"PYTHONUNBUFFERED": "1"}
    log = tmp_path / "log"
    with log.open("w") as out:
        demo = subprocess.Popen(command(tmp_path / "d.db"), env=env, stdout=out, stderr=out)
    try:
        wait_for(lambda: moment in log.read_text() or demo.poll() is not None, moment)
        time.sleep(0.3)  # into the middle of it; where exactly does not matter
        demo.send_signal(number)
        demo.wait(30)
    finally:
        demo.kill()
        demo.wait()
    assert demo.returncode == 130
    assert "Traceback" not in log.read_text()
    wait_for(lambda: not processes_of(tmp_path), "gone")
    assert not list(tmp_path.glob("tracer-demo-*"))


def test_without_a_server_it_replays_a_recording_and_says_so(tmp_path: Path) -> None:
    env = {**child_environment(), "PATH": str(tmp_path), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "c")}
    for _ in range(2):
        done = subprocess.run(
            command(tmp_path / "d.db"), env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "this is a recording of a real call" in " ".join(done.stdout.split())
        assert "ada JOINED" in done.stdout
        for expected in ANSWERED:
            assert expected in " ".join(done.stdout.split())


def test_an_agent_that_cannot_run_ends_the_demo_with_the_reason(livekit: LiveKitServer, tmp_path: Path) -> None:
    env = environment(livekit, tmp_path)
    package = tmp_path / "broken"
    shutil.copytree(Path(__file__).parents[2] / "tracer", package / "tracer")
    (package / "agent").mkdir()
    (package / "agent" / "agent.py").write_text("def broken(:\n")
    done = subprocess.run(
        command(tmp_path / "d.db"),
        env=env | {"PYTHONPATH": str(package)},
        cwd=package,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("tracer: agent-0 ended with code 1")
    assert len(done.stderr.splitlines()) == 1
    assert "SyntaxError" in done.stderr
    assert not processes_of(tmp_path)


def a_jaeger_with_pages(jaeger: Jaeger, tmp: Path) -> None:
    """The real one, given a page: built with Go it has none."""
    pages, program = tmp / "pages", tmp / "jaeger"
    pages.mkdir()
    (pages / "index.html").write_text(f'<html><base href="/" data-inject-target="BASE_URL"/>{PAGE}</html>')
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys\n"
        "path = sys.argv[-1]\n"
        "if sys.argv[1] == '--config':\n"
        "    config = json.load(open(path))\n"
        f"    config['extensions']['jaeger_query']['ui'] = {{'assets_path': {str(pages)!r}}}\n"
        "    json.dump(config, open(path, 'w'))\n"
        f"os.execv({jaeger.program.path!r}, [{jaeger.program.path!r}, *sys.argv[1:]])\n"
    )
    program.chmod(0o755)


def test_with_jaeger_the_link_opens_while_everything_is_kept(
    livekit: LiveKitServer, jaeger: Jaeger, tmp_path: Path
) -> None:
    env = environment(livekit, tmp_path) | {"PYTHONUNBUFFERED": "1"}
    a_jaeger_with_pages(jaeger, tmp_path)
    log = tmp_path / "log"
    with log.open("w") as out:
        demo = subprocess.Popen([*command(tmp_path / "d.db"), "explicit", "--jaeger"], env=env, stdout=out, stderr=out)
    try:
        wait_for(lambda: "Ctrl-C stops everything" in log.read_text() or demo.poll() is not None, "kept", LIMIT)
        shown = log.read_text()
        assert "no worker answered it" in " ".join(shown.split())
        link = shown.partition("in Jaeger: ")[2].split()[0]
        base, _, trace_id = link.partition("/trace/")
        assert PAGE in fetched(link)

        def names() -> set[str]:
            found = json.loads(fetched(f"{base}/api/traces/{trace_id}"))["data"][0]["spans"]
            return {span["operationName"] for span in found}

        told = {"room demo", "dispatch", "job", "job_entrypoint", "participant STANDARD ada"}
        wait_for(lambda: told <= {*names(), *(name.split()[0] for name in names())}, "in Jaeger", LIMIT)
        [keys] = tmp_path.glob("tracer-demo-*/demo.env")
        assert keys.stat().st_mode & 0o077 == 0, "the keys are for their owner's eyes"
        demo.send_signal(signal.SIGINT)
        demo.wait(30)
    finally:
        demo.kill()
        demo.wait()
    assert demo.returncode == 130
    wait_for(lambda: not processes_of(tmp_path), "gone")


def test_a_jaeger_without_pages_gets_no_link_and_the_trace_is_a_file(
    livekit: LiveKitServer, jaeger: Jaeger, tmp_path: Path
) -> None:
    env = environment(livekit, tmp_path)
    (tmp_path / "jaeger").symlink_to(jaeger.program.path)
    done = subprocess.run(
        [*command(tmp_path / "d.db"), "explicit", "--jaeger"],
        env=env,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "without its web pages" in " ".join(done.stdout.split())
    assert "/trace/" not in done.stdout
    written = tmp_path / "d-trace.json"
    assert f"trace: {written}" in done.stdout
    # What Jaeger's page does with a file that is uploaded.
    trace = json.loads(fetched(f"{jaeger.query_url}/api/transform", written.read_bytes()))["data"]
    assert len(trace) == 1
    spans = {span["spanID"]: span for span in trace[0]["spans"]}
    names = {span["operationName"] for span in spans.values()}
    assert {"room demo", "job_entrypoint", "participant STANDARD ada"} <= names
    assert {"dispatch", "job"} <= {name.split()[0] for name in names}
    roots = [span["operationName"] for span in spans.values() if not span["references"]]
    assert roots == ["room demo"]
    above = [reference["spanID"] for span in spans.values() for reference in span["references"]]
    assert set(above) <= spans.keys()
    assert not processes_of(tmp_path)


def fetched(address: str, body: bytes | None = None) -> str:
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})  # noqa: S310  loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return str(answer.read().decode())
