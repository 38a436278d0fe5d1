"""The failing calls of the demo, as far as they need no server."""

from __future__ import annotations

import re
from pathlib import Path

from tracer.demo import failures
from tracer.demo.failures import FAILURES
from tracer.demo.scenarios import SCENARIOS
from tracer.why import CAUSES

ALL = [*SCENARIOS.values(), *FAILURES.values()]
NOT_MADE = {
    "server-restarted",
    "agent-without-job",
    "starved-machine",
    "on-turn-raised",
    "server-lost",
}
"""They need a server that is killed and started again under one address, livekit-agents' command ``connect``, a machine
without CPU to spare, a model that understands what the caller says, and a cluster. Of the last two there are recorded
calls."""
CAUSE_NAMES = {cause.name for cause in CAUSES}


def test_every_scenario_has_a_name_to_type_and_a_question() -> None:
    for scenario in ALL:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", scenario.name)
        assert scenario.question.endswith("?"), scenario.name
        assert type(scenario).__doc__, scenario.name


def test_no_two_scenarios_have_a_name_or_a_question_in_common() -> None:
    assert len({scenario.name for scenario in ALL}) == len(ALL)
    assert len({scenario.question for scenario in ALL}) == len(ALL)


def test_a_failure_has_a_cause_that_why_knows_and_a_file_of_its_name() -> None:
    for scenario in FAILURES.values():
        assert scenario.cause in CAUSE_NAMES, scenario.name
        assert type(scenario).__module__ == f"{failures.__name__}.{scenario.name.replace('-', '_')}"


def test_every_file_of_failures_is_listed() -> None:
    files = {path.stem for path in Path(failures.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == {name.replace("-", "_") for name in FAILURES}


def test_every_cause_is_made() -> None:
    assert {scenario.cause for scenario in ALL if scenario.cause} == CAUSE_NAMES - NOT_MADE
