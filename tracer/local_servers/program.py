"""Where a server's program comes from: the PATH, Docker, or a build of our own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.errors import BinaryMissingError, DemoError
from tracer.local_servers.process import Process, child_environment

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DOCKER_READS", "Program", "built", "first", "in_docker", "on_the_path", "succeeds"]

DOCKER_READS = ("DOCKER_CERT_PATH", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST", "DOCKER_TLS_VERIFY")
"""Variables by which Docker's client finds its engine."""
LONGEST_PULL = 15 * 60.0


@dataclass(frozen=True, slots=True)
class Program:
    """How to run a server here."""

    path: str
    """The server, or ``docker``."""
    how: str
    """Where it came from, for people to read."""
    image: str = ""
    """What Docker runs."""

    def command(self, config: Path, container: str) -> list[str]:
        """Run it with this configuration file: keys on a command line could be read by every user."""
        if not self.image:
            return [self.path, "--config", str(config)]
        mount = f"type=bind,source={config},target=/config.yaml,readonly"
        run = [self.path, "run", "--rm", "--name", container, "--network", "host", "--mount", mount]
        return [*run, self.image, "--config", "/config.yaml"]


def on_the_path(name: str) -> Program:
    """The program of this name. Raises BinaryMissingError when it is not there or does not run."""
    path = shutil.which(name)
    if path is None:
        raise BinaryMissingError(f"{name} is not on the PATH")
    if not succeeds(path, "--version") and not succeeds(path, "version"):
        raise BinaryMissingError(f"{path} does not run")
    return Program(path, "found on the PATH")


def built(path: Path, how: str) -> Program:
    """A program that was built. Raises BinaryMissingError when it does not run."""
    if not succeeds(str(path), "--version") and not succeeds(str(path), "version"):
        raise BinaryMissingError(f"{path} does not run: remove it to have it built again")
    return Program(str(path), how)


def in_docker(image: str, progress: Callable[[str], None]) -> Program:
    """The program in this image. Raises BinaryMissingError without Docker, a running engine, or the image."""
    docker = shutil.which("docker")
    if docker is None:
        raise BinaryMissingError("docker is not on the PATH")
    if not succeeds(docker, "info"):
        raise BinaryMissingError("Docker's engine is not running")
    if not succeeds(docker, "image", "inspect", image):
        with tempfile.TemporaryDirectory() as folder:
            environment = child_environment(DOCKER_READS)
            pull = Process("docker", [docker, "pull", image], folder=Path(folder), environment=environment)
            try:
                pull.run_to_end(LONGEST_PULL, lambda elapsed: progress(f"Docker pulls {image}: {elapsed:.0f} s"))
            except DemoError as error:
                raise BinaryMissingError(f"cannot pull {image}: {error}") from None
    return Program(docker, f"Docker's {image}", image)


def first(what: str, *sources: Callable[[], Program]) -> Program:
    """The first of these that works. Raises BinaryMissingError that names all that was tried."""
    tried = []
    for source in sources:
        try:
            return source()
        except BinaryMissingError as error:
            tried.append(str(error))
    raise BinaryMissingError(f"cannot find or build a {what}: {'; '.join(tried)}")


def succeeds(*command: str) -> bool:
    """Whether a command ends with 0, soon."""
    try:
        done = subprocess.run(  # noqa: S603  its command is ours
            command, env=child_environment(DOCKER_READS), capture_output=True, check=False, timeout=15
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
