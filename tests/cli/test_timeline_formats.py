"""`tracer timeline --format`: each form, to a file and to standard output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.test_cli import Tracer

CALL = Path(__file__).parent.parent / "calls" / "case_agent_cut.jsonl.gz"
BEGINS = {
    "svg": b"<svg xmlns",
    "html": b"<!doctype html>",
    "mermaid": b"sequenceDiagram\n",
    "csv": b"offset_ms,",
    "perfetto": b"\n",
    "otlp": b"{\n",
    "json": b"{\n",
}


pytestmark = pytest.mark.usefixtures("call_stored")


@pytest.mark.parametrize("form", BEGINS)
@pytest.mark.parametrize("room", ["demo", CALL])
def test_a_form_is_written_to_a_file_or_shown(tracer: Tracer, form: str, room: str | Path) -> None:
    ran = tracer("timeline", room, "--store", "tracer.db", "--format", form, "-o", "out")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    written = (tracer.folder / "out").read_bytes()
    assert written.lower().startswith(BEGINS[form].lower())
    assert len(written) > 100
    if form not in ("perfetto", "html"):  # the one is no text, the other says when it was made
        assert tracer("timeline", room, "--store", "tracer.db", "--format", form).stdout == written.decode()


@pytest.mark.parametrize("form", BEGINS)
def test_a_file_that_cannot_be_written_and_a_room_that_is_not_there_are_one_line(tracer: Tracer, form: str) -> None:
    for room, output in (("demo", "/nowhere/out"), ("nobody", "out")):
        ran = tracer("timeline", room, "--store", "tracer.db", "--format", form, "-o", output)
        assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)


def test_the_whole_trace_of_a_room_holds_its_agents_spans(tracer: Tracer) -> None:
    told = json.loads(tracer("timeline", CALL, "--format", "otlp").stdout)
    services = {
        attribute["value"]["stringValue"]
        for group in told["resourceSpans"]
        for attribute in group["resource"]["attributes"]
        if attribute["key"] == "service.name"
    }
    assert {"livekit.room", "livekit.participant", "livekit.dispatch", "livekit-agent"} <= services


@pytest.mark.parametrize(
    ("option", "form"),
    [(("--summary",), "csv"), (("--all",), "json"), (("--width", "80"), "html"), (("--legend",), "svg")],
)
def test_an_option_that_does_nothing_for_a_form_is_refused(tracer: Tracer, option: tuple[str, ...], form: str) -> None:
    ran = tracer("timeline", CALL, *option, "--format", form)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"{option[0]} does nothing with --format {form}" in ran.stderr
