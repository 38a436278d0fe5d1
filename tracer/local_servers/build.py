"""Programs built once with Go into the user's cache."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.errors import BinaryMissingError, DemoError
from tracer.file_lock import try_lock
from tracer.local_servers.process import Process, child_environment
from tracer.settings import cache_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["build_with_go"]

LONGEST_BUILD = 30 * 60.0
LONGEST_DOWNLOAD = 5 * 60.0
GO_READS = (
    *("CC", "CGO_ENABLED", "GIT_SSL_CAINFO", "GOAUTH", "GOCACHE", "GOFLAGS", "GOINSECURE", "GOMODCACHE", "GONOPROXY"),
    *("GONOSUMDB", "GOPATH", "GOPRIVATE", "GOPROXY", "GOROOT", "GOSUMDB", "GOTMPDIR", "GOTOOLCHAIN"),
    *("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"),
    *("SSL_CERT_DIR", "SSL_CERT_FILE"),
)


def build_with_go(name: str, package: str, *, source: Path | str, progress: Callable[[str], None]) -> Path:
    """``name`` in the cache, built of ``package`` in ``source`` when it isn't there yet.

    ``source`` is the folder of a Go module, or a public one as ``example.org/module@v1.2.3``. The module is the main
    one, so that what its go.mod replaces is replaced: ``go install`` refuses a module that replaces anything.
    Several processes may call it at once: one builds, the others wait. Raises BinaryMissingError with Go's own reason.
    """
    cache = cache_dir()
    built = cache / name
    if built.is_file():
        return built
    go = shutil.which("go")
    if go is None:
        raise BinaryMissingError("go is not on the PATH")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(built.with_name(f"{name}.lock"), name, progress):
            if built.is_file():
                return built
            for left_behind in cache.glob(f"{name}.*/"):
                shutil.rmtree(left_behind)
            with tempfile.TemporaryDirectory(prefix=f"{name}.", dir=cache) as folder:
                _build(name, go, package, Path(folder), source, progress)
                (Path(folder) / name).replace(built)
    except OSError as error:
        raise BinaryMissingError(f"cannot cache {name} in {cache}: {error}") from error
    return built


def _build(name: str, go: str, package: str, out: Path, source: Path | str, progress: Callable[[str], None]) -> None:
    # A distribution's Go may be configured never to download a newer one, which the module may require.
    environment = {"GOTOOLCHAIN": "auto"} | child_environment(GO_READS)
    if isinstance(source, str):
        source = _downloaded(source, go, out, environment)
    command = [go, "build", "-C", str(source), "-v", "-buildvcs=false", "-o", str(out / name), package]
    build = Process("go", command, folder=out, environment=environment)

    def report(elapsed: float) -> None:
        lines = build.last_lines(100_000)
        packages = sum(not line.startswith("go: ") for line in lines)
        doing = lines[-1].removeprefix("go: ") if lines else "starting"
        progress(f"building {name} with Go, once: {elapsed:.0f} s, {packages} packages, {doing}")

    try:
        took = build.run_to_end(LONGEST_BUILD, report)
    except DemoError as error:
        raise BinaryMissingError(f"Go could not build {name}: {error}") from error
    progress(f"built {name} in {took:.0f} s")


def _downloaded(module: str, go: str, out: Path, environment: Mapping[str, str]) -> Path:
    """The folder in Go's own cache with the source of a public module."""
    download = Process("download", [go, "mod", "download", "-json", module], folder=out, environment=environment)
    try:
        download.run_to_end(LONGEST_DOWNLOAD, lambda _: None)
    except DemoError as error:
        raise BinaryMissingError(f"Go could not download {module}: {error}") from error
    said = download.log.read_text(encoding="utf-8")
    return Path(json.JSONDecoder().raw_decode(said[said.index("{") :])[0]["Dir"])  # warnings may stand around it


@contextmanager
def _one_at_a_time(lock: Path, name: str, progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock that lets one process build at a time."""
    with lock.open("w") as held:
        begun = time.monotonic()
        while not try_lock(held):
            progress(f"waiting for another process that builds {name}: {time.monotonic() - begun:3.0f} s")
            time.sleep(2)
        yield
