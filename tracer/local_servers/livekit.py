"""A LiveKit server on loopback."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Self

from tracer.errors import DemoError
from tracer.local_servers.build import build_with_go
from tracer.local_servers.ports import free_ports
from tracer.local_servers.process import Process, answers, child_environment
from tracer.local_servers.program import DOCKER_READS, Program, built, first, in_docker, on_the_path, succeeds
from tracer.settings import LiveKit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["LiveKitServer", "find_livekit_server"]

VERSION = "v1.13.5"
REPOSITORY = "livekit/livekit-server"
IMAGE = f"{REPOSITORY}:{VERSION}"
ATTEMPTS = 3
"""Ports are free when they are chosen, and a moment later perhaps not."""


def find_livekit_server(progress: Callable[[str], None], version: str = "") -> Program:
    """On the PATH, built earlier, built now with Go, or Docker's. It does not read ``LIVEKIT_URL``.

    With a ``version``, as ``v1.13.5``, it is that one, whatever is on the PATH.
    Raises BinaryMissingError that names all that was tried.
    """
    wanted = version or VERSION

    def build() -> Program:
        source = f"github.com/{REPOSITORY}@{wanted}"
        path = build_with_go(f"livekit-server-{wanted}", "./cmd/server", source=source, progress=progress)
        return built(path, f"built with Go from LiveKit's source, {wanted}")

    sources = [build, lambda: in_docker(f"{REPOSITORY}:{wanted}", progress)]
    if not version:
        sources.insert(0, lambda: on_the_path("livekit-server"))
    return first("LiveKit server", *sources)


class LiveKitServer:
    """A server with a key pair of its own, which posts webhooks to ``webhooks``. Only this machine can reach it."""

    def __init__(
        self,
        program: Program,
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
        """Its address and key pair, once it was started."""
        return LiveKit(f"ws://127.0.0.1:{self.port}", self.api_key, self.api_secret)

    def start(self, limit: float = 120.0) -> None:
        """Start it and wait until it answers. Raises DemoError with the last line of its log when it does not."""
        for attempt in range(1, ATTEMPTS + 1):
            self.port, media = free_ports(2)
            config = self.folder / "livekit.yaml"
            config.touch(mode=0o600)
            config.write_text(json.dumps(self._configuration(media), indent=2), encoding="utf-8")
            self.container = f"livekit-tracer-{self.port}-{secrets.token_hex(3)}"
            environment = child_environment(DOCKER_READS if self.program.image else ())
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
        if self.program.image:
            succeeds(self.program.path, "rm", "--force", self.container)

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
                "stun_servers": [f"127.0.0.1:{media}"],  # else callers use some on the internet
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
