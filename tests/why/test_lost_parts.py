"""Recorded calls of which one kind of evidence, or its beginning, is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.why.test_calls import FOLDER
from tracer import keys
from tracer.moment import Kind
from tracer.service.replay import records
from tracer.store import Form
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.store import Arrival
    from tracer.why.explanation import Explanation


def recorded(name: str) -> list[list[Arrival]]:
    """What each line of a recording brought."""
    return list(records(FOLDER / f"{name}.jsonl.gz"))


def explained(lines: list[list[Arrival]]) -> Explanation:
    """Of the only room in these lines, ten minutes later."""
    moments = [moment for line in lines for arrival in line for moment in arrival.moments]
    [room] = {moment.room for moment in moments if moment.room.startswith("RM_")}
    own = [moment for moment in moments if moment.room == room]
    workers = [moment for moment in moments if not moment.room]
    return explain(fold(room, own, workers=workers, now=max(moment.latest for moment in own) + 600 * NS_PER_S))


def is_a(form: Form, line: list[Arrival]) -> bool:
    return any(arrival.evidence is not None and arrival.evidence.form is form for arrival in line)


def certain(answer: Explanation) -> set[str]:
    return {finding.cause.name for finding in answer.findings if finding.certain}


@pytest.mark.parametrize(
    ("name", "cause"),
    [("agent_unsubscribed", "agent-unsubscribed"), ("publish_taken_away", "permission-taken-away")],
)
def test_without_webhooks_the_session_knows_how_long_its_caller_was_there(name: str, cause: str) -> None:
    answer = explained([line for line in recorded(name) if not is_a(Form.WEBHOOK, line)])
    assert [finding.cause.name for finding in answer.findings] == [cause]


@pytest.mark.parametrize("name", ["ok_second_session", "s15_hot_reload", "ended_after_room"])
def test_the_start_of_one_session_or_run_and_the_end_of_another_are_no_stretch(name: str) -> None:
    lines = recorded(name)
    first = [place for place, line in enumerate(lines) if is_a(Form.OTLP, line)][:5]
    kept = [line for place, line in enumerate(lines) if place not in first]
    assert not certain(explained(kept)) & {"slow-session", "slow-code"}
    assert not certain(explained(lines[len(lines) * 2 // 5 :])) & {"slow-session", "slow-code"}


def test_whoever_was_there_with_the_agent_keeps_the_next_company_also_where_their_start_is_lost() -> None:
    lines = recorded("ok_hold_music")
    assert not certain(explained(lines[len(lines) * 2 // 5 :]))


@pytest.mark.parametrize(
    "name", ["ok_conversation", "ok_spoken", "ok_handoff", "ok_two_callers", "ok_kept_through_reload", "ok_sip_deletes"]
)
def test_of_somebody_of_whom_no_webhook_came_nothing_is_made_up(name: str) -> None:
    lines = [line for line in recorded(name) if any(arrival.evidence for arrival in line)]  # the API is not polled
    assert len(lines) < len(recorded(name))
    moments = [m for line in lines for arrival in line for m in arrival.moments]
    people = {m.subject for m in moments if m.kind is Kind.PARTICIPANT_ACTIVE}
    assert len(people) > 1
    for lost in people:
        about = {
            lost,
            *(m.subject for m in moments if (keys.PARTICIPANT_ID, lost) in m.facts and m.subject[:3] == "TR_"),
        }
        kept = [
            line
            for line in lines
            if not (is_a(Form.WEBHOOK, line) and any(m.subject in about for arrival in line for m in arrival.moments))
        ]
        answer = explained(kept)
        assert answer.well is not True
        assert not certain(answer)
        assert not answer.missed, answer.summary
