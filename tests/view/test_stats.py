from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests.latency.test_gaps import HOUR, cold, moved, without
from tests.latency.test_stats import SUMMARIES, rooms
from tests.moments import AGENT, JOB, ROOM, VOICE, call
from tracer.latency.stats import figures
from tracer.latency.summary import Counted, JobSummary, Summary, summarize
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.view.stats import StatsView, as_json

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTHS = (60, 80, 200)
HOSTILE = ["\x1b[31mred", "a\nb", "\u202egnp", "x" * 300, "界" * 80, "[bold]markup[/]", "🦀" * 40, "\ud800"]


def shown(view: RenderableType, width: int, **options: object) -> list[str]:
    """The lines of a renderable, on a console of a fixed width without colours."""
    file = io.StringIO()
    Console(file=file, width=width, color_system=None, **options).print(view)  # type: ignore[arg-type]
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert all(cell_len(line) <= width for line in lines)
    assert not any(char < " " for line in lines for char in line)
    return lines


def many() -> list[Summary]:
    """Rooms of every kind."""
    every = [call()] * 20 + [cold()] * 2 + [moved(call(), HOUR), without(Kind.ROOM_FINISHED)]
    every += [without(Kind.SESSION_STARTED), [m for m in call() if m.subject not in (JOB, AGENT, VOICE)]]
    return [summarize(fold(ROOM, moments)) for moments in every]


def test_figures_at_a_width_of_120() -> None:
    assert shown(StatsView(figures(many())), 120) == GOLDEN.splitlines()


GOLDEN = """\
26 rooms: 22 measured, 1 with clock skew, 1 not ready, 1 without an agent, 1 not over

the unnamed agent: 23 jobs measured   not in the figures: 1 not ready
1 of them with clock skew: gaps between two clocks are not in the figures
                                                               owner            jobs      p50      p95      p99     most
room.created → dispatch.created                                LiveKit server     23   0.2 ms   0.2 ms        -   0.2 ms
dispatch.created → job.offered                                 LiveKit server     23   200 ms   200 ms        -   200 ms
job.offered → job.received                                     network            22   0.4 ms   0.4 ms        -   0.4 ms
job.received → job.accepted                                    your code          23   0.8 ms   0.8 ms        -   0.8 ms
job.accepted → job.assigned                                    LiveKit server     23   0.4 ms   0.4 ms        -   0.4 ms
job.assigned → process.started                                 process start       2   500 ms        -        -   500 ms
process.started → process.ready                                your code           2    1.5 s        -        -    1.5 s
job.assigned → job.process_assigned                            process start      21     0 ms     0 ms        -     0 ms
process.ready → job.process_assigned                           worker              2     0 ms        -        -     0 ms
job.process_assigned → job.entrypoint_started                  process start      23   5.0 ms   5.0 ms        -   5.0 ms
job.entrypoint_started → agent.connecting                      your code          23   4.4 ms   4.4 ms        -   4.4 ms
agent.connecting → participant.joining                         worker             22    44 ms    44 ms        -    44 ms
participant.joining → agent.connected                          network            22   100 ms   100 ms        -   100 ms
agent.connected → agent.waiting_for_participant                your code          23   3.0 ms   3.0 ms        -   3.0 ms
agent.waiting_for_participant → agent.participant_ready        LiveKit server     23   0.2 ms   0.2 ms        -   0.2 ms
agent.participant_ready → session.starting                     your code          23   2.8 ms   2.8 ms        -   2.8 ms
session.starting → session.started                             session start      23    29 ms    29 ms        -    29 ms
first cause → agent ready                                                         22   392 ms    2.4 s        -    2.4 s
caller ACTIVE → agent ready                                                       22   295 ms    2.3 s        -    2.3 s

agent 'ghost': 0 jobs measured   not in the figures: 25 without an agent

problems in 25 finished rooms (`tracer why ROOM` explains one)
    8 %       2  cold-process
"""


@pytest.mark.parametrize("width", WIDTHS)
def test_every_figure_is_whole_at_every_width(width: int) -> None:
    lines = shown(StatsView(figures(many())), width)
    text = "\n".join(lines)
    assert "…" not in text
    for stage in figures(many()).agents[0].stages:
        kinds = stage.name.partition(" → ")
        assert kinds[0].rpartition(".")[2] in text
        assert kinds[2].rpartition(".")[2] in text
        assert stage.owner is None or stage.owner.label in text
    assert "392 ms" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_a_hostile_name_is_harmless_and_moves_no_column(width: int) -> None:
    for name in HOSTILE:
        lines = shown(StatsView(figures(rooms(1, 2, 3, name=name))), width)
        ends = {cell_len(line) for line in lines if line.endswith(" ms")}
        assert len(ends) == 1, name


def test_without_rooms_it_says_what_to_do() -> None:
    assert shown(StatsView(figures([])), 80) == [
        "0 rooms",
        "no room was recorded: make a call while `tracer serve` is running",
    ]


def test_rooms_without_any_agent_are_counted() -> None:
    lines = shown(StatsView(figures([Summary(Counted.OPEN), Summary(Counted.NO_AGENT)])), 80)
    assert lines == ["2 rooms: 1 without an agent, 1 not over", "no agent was requested in them"]


def test_an_agent_without_a_measured_job_has_no_table() -> None:
    summary = Summary(
        Counted.NOT_REPORTED, (JobSummary("helper", Counted.NOT_REPORTED, (), None, None),), (), ("helper",)
    )
    lines = shown(StatsView(figures([summary])), 80)
    assert lines[2:] == ["agent 'helper': 0 jobs measured   not in the figures: 1 not reported"]


def test_only_one_agent_where_only_one_is_asked_for() -> None:
    found = figures([*rooms(1, 2), *rooms(3, name="other"), *rooms(4, name="")])
    assert "helper" not in "\n".join(shown(StatsView(found, "other"), 80))
    assert "the unnamed agent: 1 job measured" in shown(StatsView(found, ""), 80)
    assert "no agent of this name was requested" in shown(StatsView(found, "nobody"), 80)
    assert [agent["agent_name"] for agent in as_json(found, "other")["agents"]] == ["other"]
    assert len(as_json(found)["agents"]) == 3


def test_the_share_of_each_cause_is_of_the_rooms_of_which_it_can_be_told() -> None:
    causes = [Summary(Counted.MEASURED, (), ("cold-process",)), Summary(Counted.MEASURED), Summary(Counted.OPEN)]
    lines = shown(StatsView(figures(causes)), 80)
    assert lines[-2].startswith("problems in 2 finished rooms")
    assert lines[-1].split() == ["50", "%", "1", "cold-process"]


def test_figures_as_json() -> None:
    told = as_json(figures(many()))
    assert told["counted"] == {
        "measured": 22,
        "clock_skew": 1,
        "not_ready": 1,
        "no_agent": 1,
        "open": 1,
    }
    unnamed, ghost = told["agents"]
    assert (unnamed["agent_name"], unnamed["jobs"], ghost["jobs"]) == ("", 23, 0)
    assert unnamed["apart"] == {"clock_skew": 1, "not_ready": 1}
    offered = next(gap for gap in unnamed["gaps"] if gap["name"] == "dispatch.created → job.offered")
    assert offered == {
        "name": "dispatch.created → job.offered",
        "owner": "livekit_server",
        "count": 23,
        "p50_ms": 200.3,
        "p95_ms": 200.3,
        "p99_ms": None,
        "most_ms": 200.3,
        "advice": None,
    }
    assert "run the agent near" in next(gap["advice"] for gap in unnamed["gaps"] if gap["name"].endswith("connected"))
    assert unnamed["gaps"][-1]["owner"] is None
    assert told["causes"] == [{"name": "cold-process", "rooms": 2}]


@given(st.lists(SUMMARIES, max_size=25), st.sampled_from(WIDTHS))
def test_any_figures_can_be_shown(summaries: list[Summary], width: int) -> None:
    shown(StatsView(figures(summaries)), width)
