"""Completion, as real shells ask for it."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from tests.moments import ABOUT_ROOM, moment, ms
from tracer import keys
from tracer.cli.completing import complete_room, complete_scenario, complete_word
from tracer.moment import Kind
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
LIMIT = 60.0
NAMES = ("front-desk", "front desk", "front$(touch owned)", "front'", "front\nback", "fro\x1b[2Jnt", "other")


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    path = tmp_path / "tracer.db"
    with closing(SqliteStore(path)) as store:
        for number, name in enumerate(NAMES):
            about = {**ABOUT_ROOM, keys.ROOM_NAME: name}
            store.add(
                [Arrival((moment(Kind.ROOM_CREATED, f"RM_{number}", ms(number), room=f"RM_{number}", told=about),))]
            )
    return path


def bash(store: Path, *words: str) -> Sequence[str]:
    """What bash offers after these words, the last of which is being typed."""
    script = """
        source <(tracer completion bash) || exit 1
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        $(complete -p tracer | grep -o '_tracer[a-z_]*' | head -n 1) tracer
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    environment = os.environ | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "TRACER_STORE": str(store)}
    ran = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", script, "bash", *words],
        env=environment,
        cwd=store.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split("\n")[:-1]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_options_and_rooms(rooms: Path) -> None:
    assert bash(rooms, "tracer", "ti") == ["timeline"]
    assert "--store" in bash(rooms, "tracer", "timeline", "--st")
    assert bash(rooms, "tracer", "why", "fron") == ["front-desk"]
    assert bash(rooms, "tracer", "completion", "f") == ["fish"]
    assert not (rooms.parent / "owned").exists()


def test_names_that_a_shell_could_take_for_more_are_left_out(rooms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACER_STORE", str(rooms))
    context = click.Context(click.Command("why"))
    argument = click.Argument(["room"])
    assert complete_room(context, argument, "") == [
        *("other", "RM_6", "RM_5", "RM_4", "RM_3", "RM_2", "RM_1", "front-desk", "RM_0")
    ]
    assert complete_room(context, argument, "RM_6") == ["RM_6"]
    monkeypatch.setenv("TRACER_STORE", str(rooms.parent / "none.db"))
    assert complete_room(context, argument, "") == []


def test_words_and_scenarios_are_offered() -> None:
    context = click.Context(click.Command("explain"))
    argument = click.Argument(["word"])
    assert complete_word(context, argument, "cause") == ["causes", "cause"]
    assert {"no-worker", "job.offered", "JOINING"} <= {*complete_word(context, argument, "")}
    assert complete_scenario(context, argument, "silent-") == ["silent-caller"]
    assert "wrong-name" in complete_scenario(context, argument, "w")


def test_each_command_that_takes_a_room_completes_it() -> None:
    from tracer.cli import cli

    context = click.Context(cli)
    commands = [cli.get_command(context, name) for name in ("timeline", "why", "check", "compare", "bundle")]
    first = [next(one for one in command.params if isinstance(one, click.Argument)) for command in commands if command]
    assert [one._custom_shell_complete for one in first] == [complete_room] * 5


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    from click.testing import CliRunner

    from tracer.cli import cli

    ran = CliRunner().invoke(cli, ["completion", shell])
    assert ran.exit_code == 0
    assert f"_TRACER_COMPLETE={shell}_complete" in ran.output


def environment(store: Path) -> dict[str, str]:
    """A home without anybody's settings, in which `tracer` is the one of the tests."""
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    return {"HOME": str(store.parent), "PATH": path, "TRACER_STORE": str(store), "TERM": "dumb", "LANG": "C.UTF-8"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish: apt-get install fish")
def test_fish_completes_commands_options_and_rooms(rooms: Path) -> None:
    def offered(line: str) -> list[str]:
        """The candidates alone: each has its help behind a tab."""
        script = f'tracer completion fish | source; complete --do-complete "{line}"'
        ran = subprocess.run(
            ["fish", "--no-config", "-c", script],
            env=environment(rooms),
            cwd=rooms.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        return [candidate.partition("\t")[0] for candidate in ran.stdout.splitlines()]

    assert offered("tracer ti") == ["timeline"]
    assert "--store" in offered("tracer timeline --st")
    assert offered("tracer why fron") == ["front-desk"]
    assert offered("tracer explain no-wor") == ["no-worker"]
    assert not (rooms.parent / "owned").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh: apt-get install zsh")
def test_zsh_completes_commands_options_and_rooms(rooms: Path) -> None:
    """On a terminal of its own: zsh completes nowhere else. What is typed reaches a function that prints it."""
    typed = {
        "tracer ti\tdemo": "timeline demo",
        "tracer timeline --foll\t": "timeline --follow",
        "tracer why fron\t": "why front-desk",
        "tracer explain no-wor\t": "explain no-worker",
    }
    print_it = 'tracer() { print -r -- "<$*>" }'
    began = f'PS1=; autoload -U compinit; compinit -u -D; eval "$(tracer completion zsh)"; {print_it}'
    shown = b""
    terminal, inner = pty.openpty()
    zsh = subprocess.Popen(
        ["zsh", "-f", "-i"],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environment(rooms),
        cwd=rooms.parent,
        start_new_session=True,
    )
    os.close(inner)
    try:
        for line, expected in {f"{began}; tracer begins": "begins", **typed}.items():
            os.write(terminal, f"{line}\n".encode())
            end = time.monotonic() + LIMIT
            while f"<{expected}" not in shown.decode(errors="replace"):
                assert time.monotonic() < end, (line, shown)
                if select.select([terminal], [], [], 1.0)[0]:
                    shown += os.read(terminal, 65536)
    finally:
        zsh.kill()
        zsh.wait()
        os.close(terminal)
    assert not (rooms.parent / "owned").exists()
