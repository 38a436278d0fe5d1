"""No hook lets out what is raised below it, and what the user's code raises goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentation.worker import AVAILABLE, FULL, Heard, Pool, Server
from tests.moments import WORKER
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import MomentSpans

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace


class Uncooperative(Server):
    """A livekit-agents in which nothing that tracer reads can be read, once it runs."""

    broken = False

    def __getattribute__(self, name: str) -> Any:
        if name in UNREADABLE and Uncooperative.broken:
            raise RuntimeError(name)
        return super().__getattribute__(name)


UNREADABLE = {
    "draining",
    "_server_type",
    "_ws_url",
    "_deployment",
    "active_jobs",
    "_reserved_slots",
    "_agent_name",
    "id",
}


def nothing_can_be_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def report(*_: object, **__: object) -> None:
        raise RuntimeError("report")

    monkeypatch.setattr(MomentSpans, "report", report)
    monkeypatch.setattr(MomentSpans, "report_worker", report)


def nothing_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Uncooperative, "broken", True)


def registers(heard: Heard, _: Pool) -> None:
    heard.server.events["worker_registered"](WORKER, None)


def is_asked(heard: Heard, _: Pool) -> None:
    heard.asked()


def answers(heard: Heard, _: Pool) -> None:
    heard.answers(available=True)
    heard.answers(available=False)


def sends_its_status(heard: Heard, _: Pool) -> None:
    heard.stands(FULL)
    heard.stands(AVAILABLE)


def request_fnc_accepts(heard: Heard, _: Pool) -> None:
    answered = []
    asyncio.run(heard.request(accept=lambda: answered.append("accepted")))
    assert answered == ["accepted"]


def accept_raises(heard: Heard, _: Pool) -> None:
    def fails() -> None:
        raise KeyError("the user's")

    with pytest.raises(KeyError, match="the user's"):
        asyncio.run(heard.request(accept=fails))


def loses_its_connection(heard: Heard, _: Pool) -> None:
    heard.server.breaks = KeyError("livekit's")
    with pytest.raises(KeyError, match="livekit's"):
        asyncio.run(heard.server._run_ws("no connection"))


def a_process_ends(_: Heard, pool: Pool) -> None:
    pool.closed("no process")


def closes(heard: Heard, _: Pool) -> None:
    guarded(heard.process.closed)


HOOKS = [
    registers,
    is_asked,
    answers,
    sends_its_status,
    request_fnc_accepts,
    accept_raises,
    loses_its_connection,
    a_process_ends,
    closes,
]


@pytest.mark.parametrize("failing", [nothing_can_be_reported, nothing_can_be_read])
@pytest.mark.parametrize("hook", HOOKS)
def test_nothing_that_tracer_raises_reaches_the_worker(
    failing: Callable[[pytest.MonkeyPatch], None],
    hook: Callable[[Heard, Pool], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def accepts(request: SimpleNamespace) -> None:
        await request.accept()

    pool = Pool()
    heard = Heard(Uncooperative(_request_fnc=accepts, _proc_pool=pool))
    asyncio.run(heard.listen())
    failing(monkeypatch)
    hook(heard, pool)
    if hook is not request_fnc_accepts:  # which reports nothing by itself
        assert "the agent is not affected" in caplog.text
