"""What is counted of rooms that are over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as open_metrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics_families
from prometheus_client.parser import text_string_to_metric_families

from tests.moments import AGENT, GHOST, JOB, ROOM, VOICE, call, moment, ms
from tracer import keys
from tracer.latency.summary import summarize
from tracer.moment import Kind, Moment, facts
from tracer.service import fleet as fleets
from tracer.service.fleet import Fleet
from tracer.service.histogram import Histogram
from tracer.timeline.fold import fold
from tracer.why import CAUSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pytest

HOSTILE = 'a"} 1\nup 1\\\u202e\ud800'


def named(name: str) -> list[Moment]:
    """The call, whose dispatch and job are of this agent name."""
    of_agent = {keys.AGENT_NAME}
    return [
        replace(m, facts=facts({key: name if key in of_agent and m.subject != GHOST else v for key, v in m.facts}))
        for m in call()
    ]


def count(fleet: Fleet, moments: Iterable[Moment], room: str = ROOM, newest: int = 9, causes: int = 0) -> None:
    """``causes``: in how many causes it is to be found, the first that there are."""
    told = [replace(m, room=room, subject=m.subject.replace(ROOM, room)) for m in moments]
    timeline = fold(room, told)
    found = summarize(timeline)._replace(causes=tuple(cause.name for cause in CAUSES[:causes]))
    fleet.over(timeline, found, newest)


def samples(fleet: Fleet) -> dict[str, list[tuple[Mapping[str, str], float]]]:
    found: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for family in text_string_to_metric_families(generate_latest(fleet).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_a_call_is_counted_with_its_gaps_in_seconds() -> None:
    fleet = Fleet()
    count(fleet, call(), causes=2)
    found = samples(fleet)
    assert found["tracer_rooms_total"] == [({"counted": "measured"}, 1)]
    assert ({"lk_agent_name": "", "counted": "measured"}, 1) in found["tracer_jobs_total"]
    assert ({"lk_agent_name": "ghost", "counted": "no_agent"}, 1) in found["tracer_jobs_total"]
    assert found["tracer_dispatches_without_job_total"] == [({"lk_agent_name": "ghost"}, 1)]
    gap = {"lk_agent_name": "", "start": "job.assigned", "end": "job.process_assigned", "owner": "process_start"}
    assert (gap, 1) in found["tracer_gap_seconds_count"]
    (ready,) = found["tracer_agent_ready_seconds_sum"]
    assert ready[0] == {"lk_agent_name": ""}
    assert abs(ready[1] - 0.392) < 0.001
    assert abs(sum(value for _, value in found["tracer_gap_seconds_sum"]) - ready[1]) < 1e-9
    assert found["tracer_causes_total"] == [
        ({"cause": cause.name, "symptom": cause.symptom.value}, 1) for cause in CAUSES[:2]
    ]


def test_a_room_counts_once_and_one_that_was_known_before_the_start_not_at_all() -> None:
    fleet = Fleet(since=9)
    count(fleet, call(), "RM_old", newest=9)
    count(fleet, call(), "RM_new", newest=10)
    count(fleet, call(), "RM_new", newest=11)
    assert samples(fleet)["tracer_rooms_total"] == [({"counted": "measured"}, 1)]


def test_an_open_room_is_not_counted() -> None:
    fleet = Fleet()
    count(fleet, [m for m in call() if m.kind is not Kind.ROOM_FINISHED])
    assert "tracer_rooms_total" not in samples(fleet)


def test_each_figure_has_a_trace_to_look_at() -> None:
    fleet = Fleet()
    count(fleet, call(), causes=1)
    trace = fold(ROOM, call()).trace_id
    text = open_metrics(fleet).decode()  # type: ignore[no-untyped-call]  # prometheus_client says nothing of it
    families = {family.name: family for family in open_metrics_families(text)}  # type: ignore[no-untyped-call]
    for name in ("tracer_agent_ready_seconds", "tracer_gap_seconds", "tracer_causes", "tracer_dispatches_without_job"):
        exemplars = [sample.exemplar for sample in families[name].samples if sample.exemplar]
        assert exemplars, name
        assert {exemplar.labels["trace_id"] for exemplar in exemplars} == {trace}


def test_names_are_harmless() -> None:
    fleet = Fleet()
    count(fleet, named(HOSTILE))
    count(fleet, named("x" * 5000), "RM_long")
    for labels, _ in samples(fleet)["tracer_agent_ready_seconds_count"]:
        assert "\n" not in labels["lk_agent_name"]
        assert len(labels["lk_agent_name"]) <= fleets.LONGEST + 1
    assert 'a\\"} 1 up 1' in generate_latest(fleet).decode()  # one line, in which the quote is escaped


def test_agents_beyond_the_bound_share_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "MOST_NAMES", 3)
    fleet = Fleet()
    for n in range(9):
        count(fleet, [m for m in named(f"agent-{n}") if m.subject != GHOST], f"RM_{n}")
    found = samples(fleet)["tracer_agent_ready_seconds_count"]
    assert {labels["lk_agent_name"]: value for labels, value in found} == {
        "agent-0": 1,
        "agent-1": 1,
        "agent-2": 1,
        "other": 6,
    }


def test_gaps_beyond_the_bound_share_a_series(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "MOST_GAPS", 5)
    fleet = Fleet()
    count(fleet, call())
    found = samples(fleet)["tracer_gap_seconds_count"]
    assert len(found) == 6
    assert dict.fromkeys(("lk_agent_name", "start", "end", "owner"), "other") in [labels for labels, _ in found]


def test_what_is_remembered_of_rooms_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "REMEMBERED", 2)
    fleet = Fleet()
    for room in ("RM_1", "RM_2", "RM_3", "RM_3"):
        count(fleet, call(), room)
    assert samples(fleet)["tracer_rooms_total"] == [({"counted": "measured"}, 3)]
    assert len(fleet._counted) == 2


def test_a_dispatch_that_nobody_took_is_counted() -> None:
    fleet = Fleet()
    asked: dict[str, Any] = {keys.AGENT_NAME: "helper"}
    alone = [m for m in call() if m.subject not in (JOB, AGENT, VOICE, GHOST) and m.kind is not Kind.DISPATCH_CREATED]
    count(fleet, [*alone, moment(Kind.DISPATCH_CREATED, "AD_helper", ms(1), told=asked)])
    found = samples(fleet)
    assert found["tracer_dispatches_without_job_total"] == [({"lk_agent_name": "helper"}, 1)]
    assert found["tracer_jobs_total"] == [({"lk_agent_name": "helper", "counted": "no_agent"}, 1)]
    assert "tracer_agent_ready_seconds_count" not in found


def test_a_histogram_counts_up_to_each_bound() -> None:
    histogram = Histogram((0.0, 1.0, 2.0))
    for seconds in (0.0, 1.0, 1.5, 7.0):
        histogram.add(seconds)
    assert histogram.buckets() == [("0.0", 1), ("1.0", 2), ("2.0", 3), ("+Inf", 4)]
    assert histogram.sum == 9.5
