"""The tool ``doctor``: whether the setup can be traced, and how to fix what cannot."""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.assistant.answer import Answer, Item
from tracer.assistant.called import called
from tracer.assistant.outside import cleaned
from tracer.doctor.diagnosis import CheckName, State
from tracer.doctor.examination import examine
from tracer.doctor.visit import Setup
from tracer.errors import ConfigurationError
from tracer.export.target import Target
from tracer.settings import LiveKit, receiver_endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.doctor.diagnosis import Diagnosis

__all__ = ["Doctor"]

MARKS = {State.OK: "ok", State.WARNING: "warning", State.FAILED: "FAILED", State.SKIPPED: "skipped"}
NAMED = {CheckName.WORKERS, CheckName.CLOCKS}
"""Checks that say what to do with names of agents and machines, which others chose."""
_NAME = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
"""Such a name, as the doctor quotes it."""
WORST_FIRST = (State.FAILED, State.WARNING, State.SKIPPED, State.OK)


@dataclass(frozen=True, slots=True)
class Doctor:
    """What it needs beside the environment."""

    store: str
    jaeger: str | None = None

    async def visit(self, agents: Sequence[str]) -> Answer:
        """Every check, what failed first. Raises ConfigurationError."""
        server = LiveKit.from_env()
        if not server.url:
            raise ConfigurationError("LIVEKIT_URL is not set: it is the server to check, as ws://localhost:7880")
        setup = Setup(server, receiver_endpoint(), self.store, tuple(agents), Target.from_env(), self.jaeger)
        found = await examine(setup, lambda _: None)
        found.sort(key=lambda one: WORST_FIRST.index(one.state))
        items = [_item(one) for one in found]
        failed = sum(one.state is State.FAILED for one in found)
        head = f"{failed} of {len(found)} checks failed" if failed else f"none of {len(found)} checks failed"
        named = {"agents": list(agents)} if agents else {}
        again = called("doctor", **named, page="{page}")
        return Answer([head], {"failed": failed}, items, "findings", again, following=[called("rooms")])


def _marked(name: re.Match[str]) -> str:
    with suppress(ValueError, SyntaxError):
        return f"«{cleaned(str(ast.literal_eval(name[0])))}»"
    return cleaned(name[0])


def _item(found: Diagnosis) -> Item:
    """A finding as data: servers and backends answer in words of their own, and workers have names."""
    text = f"«{cleaned(found.text)}»"
    fix = _NAME.sub(_marked, found.fix) if found.check in NAMED else cleaned(found.fix)
    content = {"check": found.check.value, "state": found.state.value, "text": text}
    return Item(
        f"{MARKS[found.state]} {found.check}: {text}" + (f" do: {fix}" if fix else ""),
        content | ({"do": fix} if fix else {}),
    )
