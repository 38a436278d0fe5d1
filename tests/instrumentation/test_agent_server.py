from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from livekit.agents import AgentServer, WorkerOptions

import tracer

if TYPE_CHECKING:
    from collections.abc import Callable


async def _entrypoint(_: object) -> None: ...


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: tracer.instrument(WorkerOptions(entrypoint_fnc=_entrypoint)),  # type: ignore[arg-type]
        lambda: tracer.instrument(AgentServer(), endpoint=7890),  # type: ignore[arg-type]
        lambda: tracer.instrument(AgentServer(), endpoint="localhost:7890"),
    ],
    ids=["no server", "no text", "no scheme"],
)
def test_what_is_wrong_is_a_warning_and_no_more(wrong: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    wrong()
    assert [record.levelname for record in caplog.records if record.name.startswith("tracer")] == ["WARNING"]
