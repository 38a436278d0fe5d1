"""What `--format mermaid` writes, read and drawn by Mermaid itself, in a real Chromium."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import CHROMIUM, chromium
from tests.live.conftest import had
from tests.live.node_programs import find_mermaid
from tests.moments import ADA, ROOM, call
from tracer import keys
from tracer.moment import facts
from tracer.service.replay import timelines
from tracer.timeline.fold import fold
from tracer.view.mermaid import mermaid

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser import Tab

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not CHROMIUM and not os.environ.get("CI"), reason="no chromium: apt-get install chromium"),
]
CALLS = Path(__file__).parents[1] / "calls"
NAMES = [
    "x; end",
    "a\nparticipant B",
    "%%{init: {}}%%",
    '<b onclick="alert(1)">&#35;',
    "a->>b: c",
    "#59;",
    "`$x$`",
    "ада",
]
READ = """(async (text) => {
  mermaid.initialize({ startOnLoad: false });
  const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
  const drawn = await mermaid.render("drawn", text);
  const page = document.createElement("div");
  page.innerHTML = drawn.svg;
  return {
    type: (await mermaid.parse(text)).diagramType,
    actors: [...db.getActors().values()].map((one) => one.description),
    messages: db.getMessages().length,
    shown: page.textContent,
    scripts: page.querySelectorAll("script, [onclick], b").length,
  };
})"""


def read_back(progress: Callable[[str], None], diagrams: list[str]) -> list[dict[str, Any]]:
    script = had(find_mermaid, progress).read_text(encoding="utf-8")

    async def main() -> list[dict[str, Any]]:
        async with asyncio.timeout(120), chromium() as tab:
            await tab.run(f"{script}\n;0")
            return [await one(tab, diagram) for diagram in diagrams]

    async def one(tab: Tab, diagram: str) -> dict[str, Any]:
        read: dict[str, Any] = await tab.run(f"{READ}({json.dumps(diagram)})")
        return read

    return asyncio.run(main())


def test_mermaid_draws_every_line_of_recorded_calls(progress: Callable[[str], None]) -> None:
    names = ("ok_two_callers", "case_agent_cut", "s11_all_reject", "case_llm_dead", "ok_node")
    diagrams = [mermaid(made) for name in names for made in timelines(CALLS / f"{name}.jsonl.gz")]
    for diagram, read in zip(diagrams, read_back(progress, diagrams), strict=True):
        lines = diagram.splitlines()[1:]
        participants = [line for line in lines if line.startswith("    participant ")]
        assert read["type"] == "sequence"
        assert len(read["actors"]) == len(participants)
        assert read["messages"] == len(lines) - len(participants)


def test_a_name_is_shown_as_it_is_and_runs_nothing(progress: Callable[[str], None]) -> None:
    def of(name: str) -> str:
        known = {keys.PARTICIPANT_IDENTITY: name}
        moments = [
            replace(one, facts=facts({**dict(one.facts), **known})) if one.subject == ADA else one for one in call()
        ]
        return mermaid(fold(ROOM, moments))

    for name, read in zip(NAMES, read_back(progress, [of(name) for name in NAMES]), strict=True):
        assert "".join(name.split()) in "".join(read["shown"].split()), (name, read["shown"][:300])
        assert read["scripts"] == 0
        assert read["messages"] == messages_of(of("ada"))


def messages_of(diagram: str) -> int:
    return sum(not line.startswith("    participant ") for line in diagram.splitlines()[1:])
