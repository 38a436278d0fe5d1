"""Where a LiveKit server comes from, with stand-ins for Go and Docker on a PATH of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tracer.errors import BinaryMissingError
from tracer.local_servers import build, find_livekit_server

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "#!/bin/sh\necho livekit-server version 1.13.5\n"
GO = f"""#!/bin/sh
if [ "$1" = mod ]; then echo "{{ \\"Dir\\": \\"/source/$4\\" }}"; exit; fi
case "$*" in "build -C /source/github.com/livekit/livekit-server@v1."*" ./cmd/server") ;; *) exit 1 ;; esac
while [ "$1" != -o ]; do shift; done
echo built >> "${{2%/*}}/../builds"
echo 'go: downloading example.org/rtc v1' >&2
/bin/sleep 3
printf '{SERVER.replace(chr(10), chr(92) + "n")}' > "$2"
/bin/chmod +x "$2"
"""


class Machine:
    """Nothing on the PATH but what a test puts there, and an empty cache."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bin"
        self.path.mkdir()
        self.cache = folder / "cache"
        self.told: list[str] = []

    def has(self, name: str, script: str) -> None:
        program = self.path / name
        program.write_text(script, encoding="utf-8")
        program.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(made.path))
    monkeypatch.setattr(build, "cache_dir", lambda: made.cache)
    return made


def test_one_on_the_path_comes_first(machine: Machine) -> None:
    machine.has("livekit-server", SERVER)
    machine.has("go", GO)
    found = find_livekit_server(machine.told.append)
    assert found.path == str(machine.path / "livekit-server")
    assert not machine.cache.exists()


def test_it_is_built_once_and_then_found(machine: Machine) -> None:
    machine.has("go", GO)
    found = find_livekit_server(machine.told.append)
    assert found.path == str(machine.cache / "livekit-server-v1.13.5")
    assert any("downloading example.org/rtc v1" in line for line in machine.told)
    (machine.path / "go").unlink()
    assert find_livekit_server(machine.told.append) == found


def test_a_version_is_built_whatever_is_on_the_path(machine: Machine) -> None:
    machine.has("livekit-server", SERVER)
    machine.has("go", GO)
    found = find_livekit_server(machine.told.append, "v1.9.11")
    assert found.path == str(machine.cache / "livekit-server-v1.9.11")


def test_who_asks_at_the_same_time_waits_for_the_one_build(machine: Machine) -> None:
    machine.has("go", GO)
    with ThreadPoolExecutor(3) as three:
        found = set(three.map(lambda _: find_livekit_server(machine.told.append), range(3)))
    assert len(found) == 1
    assert (machine.cache / "builds").read_text() == "built\n"
    assert any("waiting for another process" in line for line in machine.told)
    assert sorted(one.name for one in machine.cache.iterdir()) == [
        "builds",
        "livekit-server-v1.13.5",
        "livekit-server-v1.13.5.lock",
    ]


def test_what_a_build_that_was_killed_left_behind_is_removed(machine: Machine) -> None:
    machine.has("go", GO)
    (machine.cache / "livekit-server-v1.13.5.left").mkdir(parents=True)
    find_livekit_server(machine.told.append)
    assert not (machine.cache / "livekit-server-v1.13.5.left").exists()


def test_docker_is_taken_when_go_fails(machine: Machine, tmp_path: Path) -> None:
    machine.has("go", "#!/bin/sh\necho 'go: module requires go >= 1.26' >&2; exit 1\n")
    machine.has("docker", "#!/bin/sh\nexit 0\n")
    found = find_livekit_server(machine.told.append)
    assert found.image
    command = found.command(tmp_path / "livekit.yaml", "name")
    assert command[:5] == [str(machine.path / "docker"), "run", "--rm", "--name", "name"]
    assert "livekit/livekit-server:v1.13.5" in command


def test_without_any_it_says_all_that_was_tried(machine: Machine) -> None:
    machine.has("livekit-server", "#!/bin/sh\nexit 126\n")
    machine.has("go", "#!/bin/sh\necho 'go: module requires go >= 1.26' >&2; exit 1\n")
    machine.has("docker", "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n")
    with pytest.raises(BinaryMissingError) as missing:
        find_livekit_server(machine.told.append)
    for part in ("livekit-server does not run", "go: module requires go >= 1.26", "Docker's engine is not running"):
        assert part in str(missing.value)


def test_with_nothing_at_all_it_says_so(machine: Machine) -> None:
    with pytest.raises(BinaryMissingError, match="not on the PATH; go is not on the PATH; docker is not on the PATH"):
        find_livekit_server(machine.told.append)
