"""docker-compose.yml's own commands, environment and configuration files as processes of this machine.

There need be no Docker here. What stands for a container's address, port or file is replaced in the texts, and nothing
else: see Machine.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml  # type: ignore[import-untyped]  # comes with livekit-agents, its types do not
from livekit.api import AccessToken, VideoGrants

from tests.composing import COMPOSE, ROOT, composed, start_order
from tests.live.conftest import had
from tracer import keys
from tracer.demo import worker
from tracer.errors import UnknownRoomError
from tracer.local_servers import Process, answers, child_environment, find_jaeger, find_livekit_server, free_ports
from tracer.moment import Kind
from tracer.store import open_reader
from tracer.timeline.fold import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracer.local_servers import Program
    from tracer.store import Reader
    from tracer.timeline.timeline import Timeline

PORTS = ("4318", "7880", "7881", "7882", "7890", "8081", "13133", "16685", "16686")
LIMIT = 60.0


class Machine:
    """One machine in place of the containers: names are loopback, ports free ones, and files are in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = COMPOSE.read_text(encoding="utf-8")
        services = yaml.safe_load(text)["services"]
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self.names = "|".join(services)
        self.paths = {"/opt/healthy.py": ROOT / "deploy" / "healthy.py"}
        """What a container has at a path: from its image, or mounted."""
        mounts = [volume.split(":")[:2] for service in services.values() for volume in service.get("volumes", [])]
        self.paths |= {target: folder / Path(source).name for source, target in mounts}
        for source, target in mounts:
            if source.startswith("."):
                self.paths[target].write_text(self.here((ROOT / source).read_text(encoding="utf-8")), encoding="utf-8")
            else:
                self.paths[target].mkdir()
        # The agent image's working directory; without a .env, which would be the user's own.
        shutil.copytree(ROOT / "agent", folder / "app", ignore=shutil.ignore_patterns(".env*", "__pycache__"))
        self.api_key, self.api_secret = "compose", secrets.token_urlsafe(32)
        variables = {"LIVEKIT_API_KEY": self.api_key, "LIVEKIT_API_SECRET": self.api_secret}
        variables |= {name: secrets.token_urlsafe(16) for name in ("TRACER_INGEST_TOKEN", "TRACER_READ_TOKEN")}
        self.services = composed(self.here(text), variables)["services"]

    def here(self, text: str) -> str:
        """A text about containers as one about this machine."""
        text = re.sub(rf"//(?:{self.names}):", "//127.0.0.1:", text).replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        text = re.sub(rf"\b(?:{'|'.join(PORTS)})\b", lambda found: self.ports[found[0]], text)
        for path, file in self.paths.items():
            text = text.replace(path, str(file))
        return text

    def url(self, port: str) -> str:
        return f"127.0.0.1:{self.ports[port]}"

    def start(self, name: str, program: Program | None) -> Process:
        """The service's command with its environment. Images of others have a program as their entry point."""
        service = self.services[name]
        environment = child_environment() | service["environment"]
        command = ours(service["command"]) if program is None else self.theirs(program, service)
        folder = self.folder / "app" if name == "agent" else self.folder
        return Process(name, command, folder=folder, environment=environment)

    def theirs(self, program: Program, service: dict[str, Any]) -> list[str]:
        if not program.image:
            return [program.path, *service["command"]]
        files = [str(file) for file in self.paths.values() if file.is_file()]
        mounts = [part for file in files for part in ("--mount", f"type=bind,source={file},target={file},readonly")]
        variables = [part for name in service["environment"] for part in ("--env", name)]
        run = [program.path, "run", "--rm", "--network", "host", "--user", service["user"], *mounts, *variables]
        return [*run, program.image, *service["command"]]

    def healthy(self, name: str) -> bool:
        """By the service's own check; BusyBox's wget need not be here."""
        _, *command = self.services[name]["healthcheck"]["test"]
        if command[0] == "wget":
            url = urlsplit(command[-1])
            return answers(url.port or 0, url.path)
        return subprocess.run(ours(command), env=child_environment(), capture_output=True, check=False).returncode == 0

    def timeline(self, room: str) -> Timeline | None:
        with closing(self.reader()) as reader:
            try:
                sid = reader.find(room)
            except UnknownRoomError:
                return None
            return fold(sid, reader.moments(sid))

    def has_a_worker(self) -> bool:
        with closing(self.reader()) as reader:
            return any(moment.kind is Kind.WORKER_REGISTERED for moment in reader.moments(""))

    def reader(self) -> Reader:
        return open_reader(str(self.paths["/data"] / "tracer.db"))

    def call(self, room: str) -> None:
        token = (
            AccessToken(self.api_key, self.api_secret)
            .with_identity("ada")
            .with_grants(VideoGrants(room_join=True, room=room))
        )
        caller = Process(
            "caller",
            [sys.executable, "-m", "tracer.demo.caller", "3"],
            folder=self.folder,
            environment=child_environment(LIVEKIT_URL=f"ws://{self.url('7880')}", CALLER_TOKEN=token.to_jwt()),
        )
        with caller:
            assert caller.wait(LIMIT), "the caller did not leave"
        assert caller.returncode == 0, caller.last_lines(5)


def ours(command: list[str]) -> list[str]:
    """A command of our images, by what is installed here.

    The agent is run by way of the demo's worker: by itself it refuses jobs on a busy machine, such as runs tests.
    """
    program, *arguments = command
    if arguments[:1] == ["agent.py"]:
        arguments = [worker.__file__, *arguments]
    return [str(Path(sys.executable).parent / program), *arguments]


@dataclass
class Deployed:
    machine: Machine
    processes: dict[str, Process]
    timeline: Timeline
    trace: dict[str, Any]


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + LIMIT
    while not (found := condition()):
        assert time.monotonic() < end, f"not {what} within {LIMIT} s"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def deployed(progress: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    programs = {"livekit-server": had(find_livekit_server, progress), "jaeger": had(find_jaeger, progress)}
    machine = Machine(tmp_path_factory.mktemp("compose"))
    with ExitStack() as stack:
        processes: dict[str, Process] = {}
        for name in start_order(machine.services):
            process = stack.enter_context(machine.start(name, programs.get(name)))
            process.wait_until(lambda name=name: machine.healthy(name), LIMIT, what="healthy")  # type: ignore[misc]
            processes[name] = process
        wait_for(machine.has_a_worker, "registered")  # the agent is healthy a moment earlier
        machine.call("compose")
        trace = wait_for(lambda: whole(machine, "compose"), "in Jaeger")
        found = machine.timeline("compose")
        assert found
        yield Deployed(machine, processes, found, trace)


def whole(machine: Machine, room: str) -> dict[str, Any] | None:
    """The room's trace as Jaeger has it, once its root is there and what the agent did."""
    timeline = machine.timeline(room)
    assert timeline
    url = f"http://{machine.url('16686')}/api/traces/{timeline.trace_id}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            trace: dict[str, Any] = json.load(answer)["data"][0]
    except OSError:
        return None
    names = {span["operationName"] for span in trace["spans"]}
    return (
        trace
        if {"room", "participant STANDARD", "participant AGENT", "dispatch", "job", "job_entrypoint"} <= names
        else None
    )


def test_a_call_is_one_trace_in_jaeger_told_by_every_witness(deployed: Deployed) -> None:
    spans, processes = deployed.trace["spans"], deployed.trace["processes"]
    services = {processes[span["processID"]]["serviceName"] for span in spans}
    assert services == {"livekit.room", "livekit.participant", "livekit.dispatch", "livekit-agent"}
    fields = [field for span in spans for log in span["logs"] for field in log["fields"]]
    assert {field["value"] for field in fields if field["key"] == keys.WITNESS} == {"webhook", "observer", "agent"}
    [room] = [span for span in spans if not span["references"]]
    assert room["operationName"] == "room"


def test_the_agent_met_its_caller(deployed: Deployed) -> None:
    timeline = deployed.timeline
    assert {Kind.AGENT_PARTICIPANT_READY, Kind.SESSION_STARTED} <= {step.kind for step in timeline.steps}
    assert {who.identity for who in timeline.participants if not who.is_agent} == {"ada"}


def test_jaegers_pages_have_our_configuration(deployed: Deployed) -> None:
    """Jaeger reads it at the start, and says so; a build without pages has nothing to put it into."""
    log = deployed.processes["jaeger"].log.read_text(encoding="utf-8")
    assert f'"{deployed.machine.folder / "jaeger-ui.json"}"' in log


def test_the_command_beside_the_receiver_shows_the_room(deployed: Deployed) -> None:
    """As `docker compose exec tracer tracer timeline ROOM` does; the image sets TRACER_STORE."""
    [store] = [
        line for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines() if "TRACER_STORE" in line
    ]
    environment = deployed.machine.services["tracer"]["environment"]
    environment |= {"TRACER_STORE": deployed.machine.here(store.partition("=")[2])}
    command = ours(["tracer", "timeline", deployed.timeline.room.sid, "--format", "json"])
    shown = subprocess.run(command, env=child_environment() | environment, capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout)["room"]["trace_id"] == deployed.timeline.trace_id


def test_told_to_stop_ours_end_with_zero(deployed: Deployed) -> None:
    """As `docker compose down` tells them: the agent first, with one SIGTERM each and Docker's ten seconds."""
    for name in ("agent", "tracer"):
        process = deployed.processes[name]
        assert process.pid
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10), f"{name} still runs"
        assert process.returncode == 0, process.last_lines(5)
