from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.instrumentation.worker import AVAILABLE, FULL, Heard
from tests.moments import WORKER
from tracer import keys
from tracer.instrumentation import worker_load
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable


def reported(heard: Heard, loads: Iterable[float], monkeypatch: pytest.MonkeyPatch, every: float = 60) -> list[float]:
    """The loads that are reported of those that the worker sends every so many seconds."""
    before = len(heard.spans)
    for number, load in enumerate(loads):
        monkeypatch.setattr(
            "tracer.instrumentation.worker_load.time.time_ns", lambda at=number: int((1000 + at * every) * NS_PER_S)
        )
        heard.stands(AVAILABLE, load, jobs=number)
    monkeypatch.undo()
    spans = [span for span in heard.spans[before:] if span.name == Kind.WORKER_LOAD]
    assert len({(span.attributes or {})[keys.OCCURRENCE] for span in spans}) == len(spans)
    return [float(str((span.attributes or {})[keys.WORKER_LOAD])) for span in spans]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([0.0], [0.0]),
        ([0.25, 0.25, 0.3, 0.34], [0.25]),
        ([0.2, 0.3, 0.2], [0.2, 0.3, 0.2]),
        ([0.2, 0.25, 0.29, 0.31], [0.2, 0.31]),  # a little each time
        ([0.68, 0.72, 0.71, 0.69], [0.68, 0.72, 0.69]),
        ([0.69, 0.7], [0.69, 0.7]),  # the server has nothing left for one at its limit
        ([float("nan"), float("inf"), 0.1], [0.1]),
    ],
)
def test_a_load_is_reported_when_it_is_known_crosses_the_servers_limit_or_moved(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, sent: list[float], expected: list[float]
) -> None:
    assert reported(heard, sent, monkeypatch) == expected


def test_it_is_reported_with_the_jobs_of_then_under_the_worker(heard: Heard) -> None:
    heard.stands(AVAILABLE, load=0.9, jobs=4)
    assert heard.kinds == [Kind.WORKER_LOAD]
    assert (heard.last[keys.SUBJECT], heard.last[keys.WORKER_JOBS]) == (WORKER, 4)
    assert keys.ROOM_SID not in heard.last


def test_a_load_that_never_rests_is_reported_now_and_then(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = 2 * 3600 / 2.5
    sent = [0.1 if number % 2 else 0.4 for number in range(int(hours))]
    assert len(reported(heard, sent, monkeypatch, every=2.5)) <= 2 * 3600 / worker_load.REPORT_EVERY


def test_a_worker_that_rests_is_heard_of_some_times_a_day(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reported(heard, [0.0] * 48, monkeypatch, every=3600) == [0.0] * 8


def test_crossing_the_limit_waits_for_nothing(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reported(heard, [0.1, 0.9, 0.1], monkeypatch, every=2.5) == [0.1, 0.9, 0.1]


def test_a_draining_worker_sends_no_load(heard: Heard) -> None:
    heard.server.draining = True
    heard.stands(FULL, load=0.0)
    assert heard.kinds == [Kind.WORKER_DRAINING]
