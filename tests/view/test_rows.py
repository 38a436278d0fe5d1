from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from tests.moments import ABOUT_ADA, ADA, AGENT, JOB, MICROPHONE, ROOM, WORKER, any_moments, call, moment, ms
from tracer import keys
from tracer.moment import Fact, Kind, Moment
from tracer.service.replay import timelines
from tracer.timeline.fold import fold
from tracer.view.failed import failures
from tracer.view.rows import MomentRow, MomentRows
from tracer.why import explain

CALLS = Path(__file__).parents[1] / "calls"


def by_agent(kind: Kind, at: float, occurrence: str = "", **told: Fact) -> Moment:
    known = {getattr(keys, key): value for key, value in told.items()}
    return moment(kind, JOB, ms(at), witness="agent", clock="agent", occurrence=occurrence, told=known)


def rows(*more: Moment, everything: bool = False) -> MomentRows:
    return MomentRows(fold(ROOM, [*call(), *more]), (), everything=everything)


def shown(found: MomentRows, kind: Kind) -> list[MomentRow]:
    return [row for row in found.rows if row.step.kind is kind]


def answer(number: int, asked: float, answered: float) -> list[Moment]:
    name = f"answer {number}"
    return [
        by_agent(Kind.MODEL_ASKED, asked, name),
        by_agent(Kind.MODEL_ANSWERED, answered, name),
        by_agent(Kind.AGENT_SPEAKING, answered + 20, f"speech {number}"),
    ]


def test_of_a_conversation_only_the_agents_first_word_is_shown_and_the_rest_counted() -> None:
    found = rows(*(m for number in range(5) for m in answer(number, 1000 + 500 * number, 1100 + 500 * number)))
    assert not shown(found, Kind.MODEL_ASKED) + shown(found, Kind.MODEL_ANSWERED)
    assert [row.step.time for row in shown(found, Kind.AGENT_SPEAKING)] == [ms(1120)]
    assert found.left_out == "… and 14 more moments of the conversation: --all shows them"


def test_of_what_a_session_in_node_hears_the_first_of_each_participant_is_shown() -> None:
    said = [(1000, "ada"), (2000, "ada"), (3000, "grace"), (4000, "ada")]
    found = rows(*(by_agent(Kind.SESSION_AUDIO_RECEIVED, at, f"{at}", LINKED_IDENTITY=who) for at, who in said))
    assert [row.step.time for row in shown(found, Kind.SESSION_AUDIO_RECEIVED)] == [ms(1000), ms(3000)]
    waits = [
        by_agent(kind, at, wait, LINKED_IDENTITY="ada")
        for at, wait in ((1000, "first"), (2000, "second"))
        for kind in (Kind.SESSION_WAITING_FOR_AUDIO, Kind.SESSION_AUDIO_RECEIVED)
    ]
    assert len(shown(rows(*waits), Kind.SESSION_AUDIO_RECEIVED)) == 2, "in Python a session waits for it anew"


def test_with_all_every_step_is_a_row() -> None:
    found = rows(*answer(1, 1000, 1100), everything=True)
    assert len(found.rows) == len(found.timeline.steps)
    assert found.left_out == ""


def test_an_answer_that_took_long_or_is_not_there_yet_is_shown() -> None:
    slow = [*answer(1, 1000, 1100), *answer(2, 1500, 9000)]
    assert [row.step.time for row in shown(rows(*slow), Kind.MODEL_ANSWERED)] == [ms(9000)]
    open_ = by_agent(Kind.MODEL_ASKED, 2000, "open")
    assert [row.step.time for row in shown(rows(*answer(1, 1000, 1100), open_), Kind.MODEL_ASKED)] == [ms(2000)]
    interrupted = by_agent(Kind.MODEL_ASKED, 1050, "interrupted")
    assert not shown(rows(interrupted, *answer(1, 1060, 1100)), Kind.MODEL_ASKED)


def test_no_answer_is_shown_where_the_agent_did_not_speak_instead_and_as_one_row() -> None:
    none = [
        m
        for number in range(3)
        for m in (
            by_agent(Kind.MODEL_ASKED, 1000 + 800 * number, f"{number}"),
            by_agent(Kind.MODEL_GAVE_NO_ANSWER, 1700 + 800 * number, f"{number}"),
        )
    ]
    (row,) = shown(rows(*none), Kind.MODEL_GAVE_NO_ANSWER)
    assert [step.time for step in row.repeats] == [ms(2500), ms(3300)]
    assert not shown(rows(*none, *answer(9, 3400, 3500)), Kind.MODEL_GAVE_NO_ANSWER)


def test_an_error_that_ends_several_spans_is_one_row_and_another_error_is_another() -> None:
    spans = [
        by_agent(Kind.MODEL_FAILED, 1000 + number, f"{number}", ERROR_TYPE="APIConnectionError", SPAN_NAME=span)
        for number, span in enumerate(("llm_request", "llm_node", "agent_turn"))
    ]
    (row,) = shown(rows(*spans), Kind.MODEL_FAILED)
    assert (row.step.facts[keys.SPAN_NAME], len(row.others)) == ("llm_request", 2)
    other = by_agent(Kind.MODEL_FAILED, 1001, "other", ERROR_TYPE="APITimeoutError", SPAN_NAME="tts_node")
    assert len(shown(rows(*spans, other), Kind.MODEL_FAILED)) == 2


def test_the_same_failure_in_turn_after_turn_is_one_row_that_counts_them() -> None:
    turns = [
        m
        for n in range(4)
        for m in (
            by_agent(Kind.MODEL_ASKED, 1600 + 500 * n, f"{n}"),
            by_agent(Kind.MODEL_FAILED, 1610 + 500 * n, f"{n}", ERROR_TYPE="APIError", SPAN_NAME="llm_node"),
        )
    ]
    (row,) = shown(rows(*turns), Kind.MODEL_FAILED)
    assert (row.step.time, [step.time for step in row.repeats]) == (ms(1610), [ms(2110), ms(2610), ms(3110)])


def test_one_leaving_is_one_row_whoever_reports_it() -> None:
    linked: dict[str, Fact] = {"LINKED_ID": ADA, "LINKED_IDENTITY": "ada"}
    found = rows(
        by_agent(Kind.SESSION_UNLINKED, 4090, "session@1", **linked),
        moment(Kind.TRACK_UNPUBLISHED, MICROPHONE, ms(4000), ms(5000), witness="webhook"),
    )
    (ada,) = [row for row in shown(found, Kind.PARTICIPANT_LEFT) if row.step.subject == ADA]
    assert ada.witnesses == ["agent", "webhook"]
    assert not shown(found, Kind.SESSION_UNLINKED) + shown(found, Kind.TRACK_UNPUBLISHED)
    (agent,) = [row for row in shown(found, Kind.PARTICIPANT_LEFT) if row.step.subject == AGENT]
    assert [step.kind for step in agent.others] == [Kind.AGENT_DISCONNECTED]
    assert found.left_out == ""


def test_what_happened_long_before_a_leaving_is_no_part_of_it() -> None:
    found = rows(
        by_agent(Kind.SESSION_UNLINKED, 1000, "session@1", LINKED_ID=ADA),
        moment(Kind.TRACK_UNPUBLISHED, MICROPHONE, ms(1000), ms(2000), witness="webhook"),
    )
    assert shown(found, Kind.SESSION_UNLINKED)
    assert shown(found, Kind.TRACK_UNPUBLISHED)


def test_a_leave_that_was_an_abort_is_one_row() -> None:
    aborted = moment(Kind.PARTICIPANT_ABORTED, "PA_bob", ms(3000), witness="webhook")
    left = moment(Kind.PARTICIPANT_LEFT, "PA_bob", ms(2900), ms(3100))
    joining = moment(Kind.PARTICIPANT_JOINING, "PA_bob", ms(2000), told={keys.PARTICIPANT_IDENTITY: "bob"})
    found = rows(joining, left, aborted)
    bob = [row for row in found.rows if row.step.subject == "PA_bob"]
    assert [row.step.kind for row in bob] == [Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ABORTED]
    assert bob[1].witnesses == ["observer", "webhook"]


def test_a_workers_load_is_shown_where_it_crosses_the_servers_limit() -> None:
    loads = [
        moment(
            Kind.WORKER_LOAD,
            WORKER,
            ms(at),
            witness="agent",
            room="",
            occurrence=str(at),
            told={keys.WORKER_LOAD: load, keys.AGENT_NAME: ""},
        )
        for at, load in ((-900, 0.2), (1000, 0.75), (2000, 0.9), (3000, 0.3))
    ]
    found = MomentRows(fold(ROOM, call(), workers=loads), ())
    assert [row.step.time for row in shown(found, Kind.WORKER_LOAD)] == [ms(1000), ms(3000)]
    assert found.left_out == "… and 2 more moments of workers: --all shows them"


def test_a_change_that_the_agent_and_the_api_saw_is_one_row_and_two_changes_are_two() -> None:
    language = keys.PARTICIPANT_ATTRIBUTE + "language"

    def changed(value: str, at: float, **how: str) -> Moment:
        about = {**ABOUT_ADA, language: value}
        kind = Kind.PARTICIPANT_ATTRIBUTES_CHANGED
        earliest = ms(at) if how else ms(at - 300)
        return moment(kind, ADA, earliest, ms(at), occurrence=f"{at} {how}", told=about, **how)  # type: ignore[arg-type]

    agent = {"witness": "agent", "clock": "agent"}
    found = shown(
        rows(changed("de", 2000, **agent), changed("de", 2200), changed("fr", 2100, **agent)),
        Kind.PARTICIPANT_ATTRIBUTES_CHANGED,
    )
    assert [(row.step.time, row.step.facts[language], row.witnesses) for row in found] == [
        (ms(2000), "de", ["agent", "observer"]),
        (ms(2100), "fr", ["agent"]),
    ]


def test_a_mute_that_an_agent_reports_twice_at_once_is_one_row_and_two_mutes_are_two() -> None:
    def changed(kind: Kind, at: float) -> Moment:
        about = {keys.PARTICIPANT_ID: ADA}
        return moment(kind, MICROPHONE, ms(at), witness="agent", clock="agent", occurrence=f"{at}", told=about)

    muted, unmuted = Kind.TRACK_MUTED, Kind.TRACK_UNMUTED
    reports = [(muted, 2000), (muted, 2001), (unmuted, 2200), (muted, 2500)]
    found = rows(*(changed(kind, at) for kind, at in reports))
    assert [row.step.time for row in shown(found, muted)] == [ms(2000), ms(2500)]


def test_what_happened_to_hidden_participants_is_counted() -> None:
    made = fold(ROOM, call())
    ada = next(one for one in made.participants if one.sid == ADA)
    found = MomentRows(made, (), [ada])
    assert not [row for row in found.rows if row.step.subject in (ADA, MICROPHONE)]
    assert found.left_out == "… and 5 more moments of theirs: --all shows them"


@given(any_moments())
def test_every_step_is_a_row_or_part_of_one_or_counted(moments: list[Moment]) -> None:
    made = fold(ROOM, moments)
    found = MomentRows(made, ())
    of_rows = [step.key for row in found.rows for step in (row.step, *row.others, *row.repeats)]
    assert len(of_rows) == len(set(of_rows))
    assert len(of_rows) + found.conversation + found.loads <= len(made.steps)


@pytest.mark.parametrize("name", ["case_llm_hangs", "model_hangs_1_5", "text_model_hangs", "avatar_never_comes"])
def test_what_failed_has_a_row_however_usual_it_is_elsewhere(name: str) -> None:
    timeline = timelines(CALLS / f"{name}.jsonl.gz")[-1]
    findings = explain(timeline).findings
    (failed,) = [one.step for one in failures(timeline, findings[:1]) if one.step]
    rows = MomentRows(timeline, findings)
    assert any(row.step is failed and rows.has_failed(row) for row in rows.rows)
    assert not any(row.step is failed for row in MomentRows(timeline, ()).rows)


def test_a_row_has_failed_where_one_of_its_steps_did() -> None:
    timeline = timelines(CALLS / "case_first_leaves_kept.jsonl.gz")[-1]
    rows = MomentRows(timeline, explain(timeline).findings)
    (row,) = [row for row in rows.rows if rows.has_failed(row)]
    assert row.others
