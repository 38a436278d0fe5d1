"""The tool ``doctor``: whether the setup can be traced, and how to fix what cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.assistant.answer import Answer, Item
from tracer.assistant.called import called
from tracer.assistant.outside import cleaned
from tracer.doctor.diagnosis import State
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
        return Answer([head], {"failed": failed}, items, "findings", following=[called("rooms")])


def _item(found: Diagnosis) -> Item:
    """A finding as data: servers and backends answer in words of their own, and workers have names."""
    text, fix = f"«{cleaned(found.text)}»", cleaned(found.fix)
    content = {"check": found.check.value, "state": found.state.value, "text": text}
    return Item(
        f"{MARKS[found.state]} {found.check}: {text}" + (f" do: {fix}" if fix else ""),
        content | ({"do": fix} if fix else {}),
    )
