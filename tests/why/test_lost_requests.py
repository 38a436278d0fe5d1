"""Recorded calls of which half of the agent's requests are lost, when the spans in them are numbered."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.calls.expected import EXPECTED
from tests.why.test_lost_parts import certain, explained, is_a, recorded
from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.store import Arrival, Form
from tracer.witness import agent, evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = 12
WITHOUT_NUMBERS = {
    "agent_unsubscribed", "audio_input_off", "audio_output_off", "backend_unsubscribes", "case_shutdown_slow",
    "greeting_after_hand_over", "linked_to_one_who_never_comes", "muted_throughout", "never_pauses_1_5", "no_llm",
    "nobody_speaks", "noise_taken_for_speech", "silent_telephone", "stt_raises_later", "unlinked",
    "unsubscribed_for_a_while",
}  # fmt: skip
"""Calls that went wrong, and of which what is left can look well."""
BY_WORKER = {Kind.JOB_OFFERED, Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED, Kind.JOB_REJECTED, Kind.PROCESS_FAILED}


def numbered(lines: list[list[Arrival]]) -> list[list[Arrival]]:
    """The same as the agents would send it now: they were recorded before spans had numbers."""
    counted: Counter[tuple[str, str]] = Counter()
    return [
        [replace(one, moments=(*one.moments, *_numbers(one, counted))) if _is_otlp(one) else one for one in line]
        for line in lines
    ]


def _is_otlp(arrival: Arrival) -> bool:
    return arrival.evidence is not None and arrival.evidence.form is Form.OTLP


def _numbers(arrival: Arrival, counted: Counter[tuple[str, str]]) -> Iterator[Moment]:
    assert arrival.evidence
    brought: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for one in agent.received(evidence.request(arrival.evidence)):
        job, process = str(one.attributes.get(keys.JOB_ID, "")), "worker" if one.span.name in BY_WORKER else "job"
        if one.room and job:
            brought[one.room, job, process].append(one.span.end_time_unix_nano or one.span.start_time_unix_nano)
    for (room, job, process), times in brought.items():
        first, at = counted[job, process] + 1, max(times)
        counted[job, process] += len(times)
        known = facts({keys.SPANS_FIRST: first, keys.SPANS_LAST: counted[job, process]})
        yield Moment(room, Kind.JOB_SPANS_REPORTED, job, at, at, at, "agent", "agent", process, known)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(WITHOUT_NUMBERS))
def test_a_call_of_which_requests_did_not_come_is_not_called_well(name: str) -> None:
    assert not EXPECTED[name][0].well
    lines = numbered(recorded(name))
    whole = explained(lines)
    assert not whole.well
    requests = [place for place, line in enumerate(lines) if is_a(Form.OTLP, line)]
    lots = random.Random(name)  # noqa: S311  the same each time
    for _ in range(TIMES):
        lost = {place for place in requests if lots.random() < 0.5}
        answer = explained([line for place, line in enumerate(lines) if place not in lost])
        assert not answer.well, sorted(lost)
        assert certain(answer) <= certain(whole), sorted(lost)


def test_numbers_show_nothing_where_everything_came() -> None:
    assert explained(numbered(recorded("ok_conversation"))).well
