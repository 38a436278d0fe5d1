from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from rich.text import Text

from tracer.errors import TracerError
from tracer.view.write import FILE_WIDTH, write_json, write_text, write_view

if TYPE_CHECKING:
    from pathlib import Path

LONG = Text("moment " * 40)


def test_views_are_parted_by_an_empty_line_on_standard_output_and_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_view(Text("one"), Text("two"))
    assert capsys.readouterr().out == "one\n\ntwo\n"
    write_view(Text("one"), Text("two"), output=tmp_path / "views")
    assert (tmp_path / "views").read_text(encoding="utf-8") == "one\n\ntwo\n"


@pytest.mark.parametrize(("width", "most"), [(None, FILE_WIDTH), (60, 60)])
def test_a_file_is_as_wide_as_told(tmp_path: Path, width: int | None, most: int) -> None:
    write_view(LONG, output=tmp_path / "view", width=width)
    longest = max(map(len, (tmp_path / "view").read_text(encoding="utf-8").splitlines()))
    assert most - len("moment ") < longest <= most


def test_standard_output_is_as_wide_as_told(capsys: pytest.CaptureFixture[str]) -> None:
    write_view(LONG, width=60)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


def test_json_is_ascii_and_ends_its_line(tmp_path: Path) -> None:
    write_json({"name": "\x1b[31m ●"}, tmp_path / "out.json")
    text = (tmp_path / "out.json").read_text(encoding="utf-8")
    assert text.isascii()
    assert "\x1b" not in text
    assert text.endswith("}\n")
    assert json.loads(text) == {"name": "\x1b[31m ●"}


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(TracerError, match=r"cannot write .*nowhere.out"):
        write_text("text", tmp_path / "nowhere" / "out")
