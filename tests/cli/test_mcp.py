"""`tracer mcp` and `tracer skill` at the command line."""

from __future__ import annotations

import json
import re
import socket
import sys
import tomllib
from typing import TYPE_CHECKING

from tracer.cli.mcp import command

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cli.test_cli import Tracer


def test_the_missing_extra_is_one_line(tracer: Tracer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    line = tracer.fails(2, "mcp")
    assert "`tracer mcp` needs mcp 2.2 or newer, of the extra mcp" in line
    assert "pip install '.[mcp]'" in line


def test_beyond_this_machine_it_does_not_start_without_a_token(tracer: Tracer) -> None:
    assert "TRACER_READ_TOKEN" in tracer.fails(2, "mcp", "--http", "--host", "0.0.0.0")  # noqa: S104


def test_a_port_that_is_taken_and_an_address_that_is_none_are_one_line(tracer: Tracer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port} is in use" in tracer.fails(1, "mcp", "--http", "--port", str(port))
    line = tracer.fails(2, "mcp", "--http", "--host", "256.1.1.1", TRACER_READ_TOKEN="known")  # noqa: S106  of the test
    assert "256.1.1.1" in line


def test_a_file_that_is_no_recording_is_one_line(tracer: Tracer, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("hello\n")
    assert "is neither a recording" in tracer.fails(1, "mcp", other)


def test_the_skill_is_in_the_usual_form_and_names_what_is_there(tracer: Tracer, tmp_path: Path) -> None:
    ran = tracer("skill")
    assert (ran.returncode, ran.stderr) == (0, "")
    head, _, body = ran.stdout.removeprefix("---\n").partition("\n---\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    assert set(fields) == {"name", "description"}
    assert re.fullmatch(r"[a-z0-9-]{1,64}", fields["name"])
    assert len(fields["description"]) <= 1024
    for form, text in re.findall(r"```(\w+)\n(.*?)```", body, re.DOTALL):
        {"json": json.loads, "toml": tomllib.loads}[form](text)
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", body)) - {"--"} <= options
    for tool in ("why", "rooms", "timeline", "check", "compare", "explain", "doctor"):
        assert f"`{tool}" in body
    tracer("skill", "-o", tmp_path / "SKILL.md")
    assert (tmp_path / "SKILL.md").read_text() == ran.stdout
