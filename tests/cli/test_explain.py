from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.test_cli import Tracer


def test_a_word_is_explained(tracer: Tracer) -> None:
    ran = tracer("explain", "job", "offered")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("job.offered   moment: job offered\n")


def test_without_a_word_all_are_listed_and_with_a_group_its_own(tracer: Tracer) -> None:
    every, causes = tracer("explain").stdout, tracer("explain", "Causes").stdout
    assert "moments  what can happen\n" in every
    assert causes.startswith("causes: what goes wrong\n  no-worker ")
    assert "job.offered" not in causes


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("jb.offerd", "no word 'jb.offerd': did you mean 'job.offered'? `tracer explain` lists what is explained"),
        ("qqqq", "no word 'qqqq': `tracer explain` lists what is explained"),
        ("two\nlines\x1b[31m", r"no word 'two\nlines\x1b[31m': `tracer explain` lists what is explained"),
    ],
)
def test_an_unknown_word_is_one_line_with_the_nearest(tracer: Tracer, asked: str, said: str) -> None:
    ran = tracer("explain", asked)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", f"tracer: {said}\n")


def test_an_endless_word_is_cut(tracer: Tracer) -> None:
    assert len(tracer("explain", "x" * 100_000).stderr) < 200


def test_a_program_gets_json_in_a_file_too(tracer: Tracer, tmp_path: Path) -> None:
    [word] = json.loads(tracer("explain", "no-worker", "--format", "json").stdout)["words"]
    assert (word["word"], word["group"]) == ("no-worker", "cause")
    tracer("explain", "rules", "--format", "json", "-o", str(tmp_path / "rules.json"))
    assert len(json.loads((tmp_path / "rules.json").read_text())["words"]) == 10
