"""A LiveKit server of our own, on loopback."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tracer.errors import BinaryMissingError, DemoError
from tracer.servers.build import build_with_go
from tracer.servers.ports import free_ports
from tracer.servers.process import Process, answers, child_environment
from tracer.settings import LiveKit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LiveKitProgram", "LiveKitServer", "find_livekit_server"]

VERSION = "v1.13.5"
MODULE = f"github.com/livekit/livekit-server/cmd/server@{VERSION}"
IMAGE = f"livekit/livekit-server:{VERSION}"
DOCKER_READS = ("DOCKER_CERT_PATH", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST", "DOCKER_TLS_VERIFY")
LONGEST_PULL = 15 * 60.0
ATTEMPTS = 3
"""Ports are free when they are chosen, and a moment later perhaps not."""


@dataclass(frozen=True, slots=True)
class LiveKitProgram:
    """How to run a LiveKit server here."""

    path: str
    """The server, or ``docker``."""
    how: str
    """Where it came from, for a person."""
    docker: bool = False

    def command(self, config: Path, container: str) -> list[str]:
        """Run it with this configuration file: keys on a command line could be read by every user."""
        if not self.docker:
            return [self.path, "--config", str(config)]
        mount = f"type=bind,source={config},target=/livekit.yaml,readonly"
        run = [self.path, "run", "--rm", "--name", container, "--network", "host", "--mount", mount]
        return [*run, IMAGE, "--config", "/livekit.yaml"]


def find_livekit_server(progress: Callable[[str], None]) -> LiveKitProgram:
    """On the PATH, built earlier, built now with Go, or Docker's; ``LIVEKIT_URL`` is the caller's to look at first.

    Raises BinaryMissingError that says all that was tried.
    """
    tried: list[str] = []
    if (path := shutil.which("livekit-server")) is None:
        tried.append("livekit-server is not on the PATH")
    elif _succeeds(path, "--version"):
        return LiveKitProgram(path, "found on the PATH")
    else:
        tried.append(f"{path} does not run")
    try:
        built = build_with_go(f"livekit-server-{VERSION}", ["install", "-v", MODULE], "server", progress=progress)
    except BinaryMissingError as error:
        tried.append(str(error))
    else:
        if _succeeds(str(built), "--version"):
            return LiveKitProgram(str(built), f"built with Go from LiveKit's source, {VERSION}")
        tried.append(f"{built} does not run: remove it to have it built again")
    if (docker := shutil.which("docker")) is None:
        tried.append("no Docker")
    elif not _succeeds(docker, "info"):
        tried.append("Docker's engine does not answer")
    else:
        try:
            _pull(docker, progress)
        except DemoError as error:
            tried.append(f"Docker could not pull {IMAGE}: {error}")
        else:
            return LiveKitProgram(docker, f"Docker's {IMAGE}", docker=True)
    raise BinaryMissingError(f"no LiveKit server to be had: {'; '.join(tried)}")


def _pull(docker: str, progress: Callable[[str], None]) -> None:
    if _succeeds(docker, "image", "inspect", IMAGE):
        return
    with tempfile.TemporaryDirectory() as folder:
        pull = Process(
            "docker", [docker, "pull", IMAGE], folder=Path(folder), environment=child_environment(DOCKER_READS)
        )
        pull.run_to_end(LONGEST_PULL, lambda elapsed: progress(f"Docker pulls {IMAGE}: {elapsed:.0f} s"))


def _succeeds(*command: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603  its command is ours
            command, env=child_environment(DOCKER_READS), capture_output=True, check=False, timeout=15
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class LiveKitServer:
    """A server with a key pair of its own, which tells ``webhooks`` what happens. Nothing outside reaches it."""

    def __init__(
        self,
        program: LiveKitProgram,
        *,
        folder: Path,
        webhooks: Sequence[str] = (),
        empty_timeout: int = 30,
        departure_timeout: int = 2,
    ) -> None:
        self.program = program
        self.folder = folder
        self.webhooks = list(webhooks)
        self.room = {"empty_timeout": empty_timeout, "departure_timeout": departure_timeout}
        """Seconds a room stays when nobody came, and when everybody has left."""
        self.api_key = f"API{secrets.token_hex(6)}"
        self.api_secret = secrets.token_urlsafe(32)
        self.port = 0
        self.container = ""
        """Its name, when Docker runs it."""
        self.process: Process | None = None

    @property
    def settings(self) -> LiveKit:
        """Where it is and the key to it, once it was started."""
        return LiveKit(f"ws://127.0.0.1:{self.port}", self.api_key, self.api_secret)

    def start(self, limit: float = 30.0) -> None:
        """Start it and wait until it answers. Raises DemoError with what it said last when it does not."""
        for attempt in range(1, ATTEMPTS + 1):
            self.port, media = free_ports(2)
            config = self.folder / "livekit.yaml"
            config.touch(mode=0o600)
            config.write_text(json.dumps(self._configuration(media), indent=2), encoding="utf-8")
            self.container = f"livekit-tracer-{self.port}-{secrets.token_hex(3)}"
            environment = child_environment(DOCKER_READS if self.program.docker else ())
            command = self.program.command(config, self.container)
            self.process = Process("livekit-server", command, folder=self.folder, environment=environment)
            self.process.start()
            try:
                self.process.wait_until(lambda: answers(self.port), limit)
            except BaseException as error:
                self.stop()
                taken = any("address already in use" in line for line in self.process.last_lines(5))
                if not (isinstance(error, DemoError) and taken and attempt < ATTEMPTS):
                    raise
            else:
                return

    def stop(self) -> None:
        """End it, participants or not."""
        if self.process is None:
            return
        self.process.stop(limit=4)
        if self.program.docker:
            _succeeds(self.program.path, "rm", "--force", self.container)

    def _configuration(self, media: int) -> dict[str, object]:
        return {
            "port": self.port,
            "bind_addresses": ["127.0.0.1"],
            "keys": {self.api_key: self.api_secret},
            "rtc": {
                "node_ip": "127.0.0.1",
                "use_external_ip": False,
                "enable_loopback_candidate": True,
                "udp_port": media,
                "tcp_port": 0,  # LiveKit would listen on it on every address
                "stun_servers": [f"127.0.0.1:{media}"],  # else callers ask some on the internet
            },
            "webhook": {"api_key": self.api_key, "urls": self.webhooks},
            "room": self.room,
            "logging": {"level": "info"},
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
