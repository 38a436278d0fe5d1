"""Whatever raises below a hook, the user's program sees what it sees without tracer.

A worker and a job live their lives once while every call that tracer makes is written down, and then once more for each
of them, in which it raises.
"""

from __future__ import annotations

import ast
import inspect
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import pytest
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

import tracer.instrumentation
from tests.instrumentation import life, worker
from tests.instrumentation.life import live
from tracer.instrumentation import guard

if TYPE_CHECKING:
    from types import FrameType

pytestmark = pytest.mark.slow

HOME = Path(tracer.instrumentation.__file__).parent
OURS = {str(path) for path in HOME.glob("*.py")}
USERS = {life.__file__, worker.__file__}
"""Who is called through a hook, and may raise: the user's program, and livekit-agents."""
COLLECTED = ("__del__", "_cb", "_remove")
"""What Python calls by itself when it frees memory, in the middle of whatever runs."""
NEVER = {guard.guarded.__code__, RandomIdGenerator.generate_trace_id.__code__}
"""The guard itself, and what OpenTelemetry does without tracer."""
NOT_LIVED = {
    "_warn",  # where something raises
    "leave_every_server", "_leave_every_server", "unwrap_class",  # by hand, before anything runs
    "instrument_every_server", "_instrument_every_server", "wrap_class",  # see test_zero_code
}  # fmt: skip


LOGGED = {"_is_not_ours"}
"""What runs only where a record is logged, which other tests of the same process can have turned off."""
ON = {
    ("set_provider_observed", "set_provider"),
    ("start_span", "start_span"),
    ("set_audio_enabled_reported", "set_audio_enabled"),
    ("set_audio", "audio"),
    ("set_participant", "set_participant"),
    ("unset_participant", "unset_participant"),
    *((hook, step) for hook in ("start_as_current_span", "_current") for step in ("helper", "__enter__", "__exit__")),
}
"""What a hook calls in the user's stead: what that raises is the user's."""


class Call(NamedTuple):
    """A call that tracer makes."""

    caller: str
    line: int
    callee: str


class Calls:
    """Sees every call of a Python function that tracer makes, in every thread, and has one of them raise."""

    def __init__(self, fails: Call | None = None) -> None:
        self.fails = fails
        self.seen: set[Call] = set()
        self.lived: set[str] = set()
        """Functions of tracer.instrumentation that ran."""

    def __enter__(self) -> Self:
        threading.settrace(self._called)
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def _called(self, frame: FrameType, event: str, _: object) -> None:
        callee, back = frame.f_code, frame.f_back
        if callee.co_filename in OURS:
            self.lived.add(callee.co_name)
        if event != "call" or back is None or back.f_code.co_filename not in OURS:
            return
        if callee in NEVER or callee.co_name in COLLECTED or callee.co_filename in USERS:
            return
        if "<module>" in (callee.co_name, back.f_code.co_name) or callee.co_name.startswith("<"):
            return  # imports are another matter, and a comprehension is no call
        if callee.co_flags & inspect.CO_COROUTINE:  # it is called again whenever it goes on
            return
        call = Call(back.f_code.co_name, back.f_lineno, callee.co_name)
        if (call.caller, call.callee) in ON:
            return
        self.seen.add(call)
        if call == self.fails:
            raise RuntimeError(f"{call.callee}, called by {call.caller} in line {call.line}")


def calls() -> list[Call]:
    with pytest.MonkeyPatch.context() as patch, Calls() as seen:
        live(patch, instrumented=True)
    return sorted(seen.seen)


def test_every_function_is_part_of_that_life(monkeypatch: pytest.MonkeyPatch) -> None:
    with Calls() as seen:
        live(monkeypatch, instrumented=True)
    functions = {
        node.name
        for path in OURS
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert functions - seen.lived - LOGGED == NOT_LIVED


def test_nothing_that_raises_below_a_hook_reaches_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = live(monkeypatch, instrumented=False)
    assert live(monkeypatch, instrumented=True) == expected
    harmed = {}
    for call in calls():
        # Twice: what the garbage collector happens to call, and when, is no call of tracer's.
        if harm(call, monkeypatch, expected) and (again := harm(call, monkeypatch, expected)):
            harmed[call] = again
    assert harmed == {}


def harm(call: Call, monkeypatch: pytest.MonkeyPatch, expected: object) -> str:
    """What the user has of it when this call raises; empty where all is as without tracer."""
    with Calls(call):
        try:
            happened = live(monkeypatch, instrumented=True)
        except BaseException as error:  # noqa: BLE001  each is a fault
            return repr(error)
    return "" if happened == expected else repr(happened)
