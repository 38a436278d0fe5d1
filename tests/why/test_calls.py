"""`tracer why`, held against what really happened in every recorded call."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.calls.clean import PRIVATE, texts
from tests.calls.expected import EXPECTED
from tracer.check import Outcome, check
from tracer.latency.gaps import Paths
from tracer.latency.shorten import to_shorten
from tracer.moment import Kind
from tracer.service.replay import timelines
from tracer.why import CAUSES, Symptom, explain

FOLDER = Path(__file__).parent.parent / "calls"


def test_every_recording_has_its_truth_beside_it() -> None:
    assert {path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl.gz")} == set(EXPECTED)


SECRET = re.compile(r"turn_?password|eyJ[\w-]{20,}\.", re.IGNORECASE)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_recording_has_a_path_or_a_secret_of_the_machine_it_was_made_on(name: str) -> None:
    recording = gzip.decompress((FOLDER / f"{name}.jsonl.gz").read_bytes()).decode()
    for line in recording.splitlines():
        for text in (line, *texts(line)):
            found = PRIVATE.search(text) or SECRET.search(text)
            assert not found, found


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_why_comes_to_what_happened(name: str) -> None:
    rooms = timelines(FOLDER / f"{name}.jsonl.gz")
    assert len(rooms) == len(EXPECTED[name])
    for timeline, right in zip(rooms, EXPECTED[name], strict=True):
        explained = explain(timeline)
        named = [finding.cause.name for finding in explained.findings]
        said = " ".join([explained.summary, *(finding.sentence for finding in explained.findings[:1])])
        assert named[:1] == ([right.cause] if right.cause else []), said
        assert tuple(dict.fromkeys(named[1:])) == right.also
        assert (explained.well is True) is right.well, said
        assert re.search(right.says, said, re.IGNORECASE), said
        assert not set(named) & set(right.never), said
        assert all(finding.evidence for finding in explained.findings), "a finding without evidence"
        assert right.reason is None or timeline.end_reason == right.reason
        assert len([doubt for doubt in explained.doubts if "tracer.instrument" in doubt.how]) <= 1
        judged = check(timeline).judgements
        assert all(set(step.witnesses) <= set(step.kind.info.reported) for step in timeline.steps)
        violated = tuple(one.rule.number for one in judged if one.answer is Outcome.VIOLATED)
        assert violated == right.violated


def test_a_wait_that_was_cancelled_is_no_participant_ready() -> None:
    [timeline] = timelines(FOLDER / "case_nobody_comes.jsonl.gz")
    assert Kind.AGENT_PARTICIPANT_READY not in {step.kind for step in timeline.steps}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_is_missing_or_not_known_comes_with_what_to_do(name: str) -> None:
    for timeline in timelines(FOLDER / f"{name}.jsonl.gz"):
        answer = explain(timeline)
        if answer.findings and "; and the job process was killed" in answer.summary:
            assert answer.advice, "what came after the call does not explain what it lacked"
        elif answer.well or answer.findings:
            assert not answer.advice
        elif not answer.doubts and "No caller" not in answer.summary and "Nothing is known" not in answer.summary:
            assert answer.advice or timeline.cut_off, answer.summary


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_of_a_call_that_failed_no_gap_is_named_that_could_be_shorter(name: str) -> None:
    """Unless an agent served the caller all the same: late, or one too many."""
    for timeline, right in zip(timelines(FOLDER / f"{name}.jsonl.gz"), EXPECTED[name], strict=True):
        served = {cause.name for cause in CAUSES if cause.symptom in (Symptom.LATE, Symptom.DUPLICATED)}
        failed = explain(timeline).well is False and not {right.cause, *right.also} <= {*served, "killed-in-shutdown"}
        lacks = explain(timeline).summary.startswith("During the call")
        assert not ((failed or lacks) and to_shorten(timeline, Paths(timeline)))
