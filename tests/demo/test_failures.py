"""The failing calls of the demo, as far as they need no server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracer.demo import failures
from tracer.demo.failures import FAILURES
from tracer.demo.scenarios import SCENARIOS
from tracer.why import CAUSES

ALL = [*SCENARIOS.values(), *FAILURES.values()]
CAUSE_NAMES = {cause.name for cause in CAUSES}


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_every_scenario_has_a_name_to_type_and_a_question(scenario: object) -> None:
    name, question = getattr(scenario, "name", ""), getattr(scenario, "question", "")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
    assert question.endswith("?")
    assert type(scenario).__doc__


def test_no_two_scenarios_have_a_name_or_a_question_in_common() -> None:
    assert len({scenario.name for scenario in ALL}) == len(ALL)
    assert len({scenario.question for scenario in ALL}) == len(ALL)


@pytest.mark.parametrize("scenario", FAILURES.values(), ids=lambda scenario: scenario.name)
def test_a_failure_has_a_cause_that_why_knows_and_a_file_of_its_name(scenario: object) -> None:
    assert getattr(scenario, "cause", None) in CAUSE_NAMES
    assert type(scenario).__module__ == f"{failures.__name__}.{getattr(scenario, 'name', '').replace('-', '_')}"


def test_every_file_of_failures_is_listed() -> None:
    files = {path.stem for path in Path(failures.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == {name.replace("-", "_") for name in FAILURES}


def test_every_cause_is_made() -> None:
    assert {scenario.cause for scenario in ALL if scenario.cause} == CAUSE_NAMES
