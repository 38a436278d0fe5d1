from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, AGENT, JOB, MICROPHONE, SESSION, VOICE, WORKER, _webhook
from tests.why.cases import (
    LATE,
    OTHER,
    RECEIVED,
    SECOND,
    Case,
    check,
    delayed,
    found,
    healthy,
    moved,
    observed,
    of_job,
    off,
    shape,
    timeline,
    waits_for_silent,
    with_facts,
    without,
)
from tests.why.silent.calls import closed, long_call
from tracer import keys
from tracer.moment import Kind
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment


@pytest.mark.parametrize("case", LATE, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(
    ("since", "most", "cause"),
    [
        (Kind.JOB_PROCESS_ASSIGNED, 1_000, "cold-process"),
        (Kind.JOB_ACCEPTED, 999, "slow-answer"),
        (Kind.AGENT_CONNECTED, 1_855, "slow-connect"),
        (Kind.AGENT_CONNECTING, 1_995, "slow-code"),
        (Kind.AGENT_WAITING_FOR_PARTICIPANT, 1_997, "slow-code"),
        (Kind.SESSION_STARTING, 1_997, "slow-code"),
        (Kind.SESSION_STARTED, 2_971, "slow-session"),
    ],
)
def test_each_stretch_has_its_time(since: Kind, most: float, cause: str) -> None:
    assert found(delayed(healthy(), since, most)) == []
    assert found(delayed(healthy(), since, most + 1)) == [cause]


@pytest.mark.parametrize("missing", [Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED])
def test_a_stretch_has_two_ends(missing: Kind) -> None:
    assert found(without(delayed(healthy(), Kind.JOB_PROCESS_ASSIGNED, 4000), missing)) == []


def test_ends_that_its_witness_contradicts_prove_nothing() -> None:
    recorded = delayed(healthy(), Kind.JOB_PROCESS_ASSIGNED, 3000)
    recorded += [moved(m, -2) for m in recorded if m.kind is Kind.JOB_ASSIGNED]
    (finding,) = explain(timeline(recorded)).findings
    assert (finding.cause.name, finding.certain) == ("cold-process", False)


def test_another_worker_that_was_asked_first_did_not_answer_slowly_for_this_one() -> None:
    # It rejected after 1.4 s, and the server asked the other.
    recorded = delayed(healthy(), Kind.JOB_RECEIVED, 1500)
    recorded += [
        of_job(Kind.JOB_RECEIVED, 202, None, OTHER),
        of_job(Kind.JOB_REJECTED, 1600, {keys.JOB_ANSWER: "rejected"}, OTHER),
    ]
    assert "slow-answer" not in found(recorded)


def test_a_slow_answer_that_came_too_late_is_another_matter() -> None:
    recorded = without(delayed(healthy(), Kind.JOB_ACCEPTED, 1500), Kind.JOB_ASSIGNED)
    assert "slow-answer" not in found(recorded)


@pytest.mark.parametrize(("by", "names"), [(1_100, []), (1_102, ["slow-offer"])])
def test_an_offer_is_slow_only_where_the_agents_clock_cannot_be_the_reason(by: float, names: list[str]) -> None:
    # Ahead by no more than 101 ms, which is from the agent's JOINING to its being connected.
    assert found(delayed(healthy(), Kind.JOB_RECEIVED, by)) == names


def test_without_the_agents_joining_nobody_knows_whether_an_offer_was_slow() -> None:
    assert found(without(delayed(healthy(), Kind.JOB_RECEIVED, 2000), Kind.PARTICIPANT_JOINING)) == []


def test_the_offer_to_the_worker_that_got_the_job_counts() -> None:
    recorded = [*delayed(healthy(), Kind.JOB_RECEIVED, 2000), of_job(Kind.JOB_RECEIVED, 202, None, OTHER)]
    (finding,) = explain(timeline(recorded)).findings
    assert finding.cause.name == "slow-offer"
    assert shape(finding)[1] == RECEIVED
    assert finding.evidence[1].occurrence == WORKER


def test_code_that_goes_on_when_its_caller_has_gone_keeps_nobody_waiting() -> None:
    recorded = delayed(healthy(), Kind.AGENT_CONNECTING, 5000)
    for left, names in ((2_400, ["slow-code"]), (2_000, [])):
        gone = [m for m in recorded if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, ADA)]
        gone.append(_webhook(Kind.PARTICIPANT_LEFT, ADA, left, {keys.PARTICIPANT_IDENTITY: "ada"}))
        found_late = [name for name in found(gone) if name == "slow-code"]
        assert found_late == names


def test_waiting_for_the_caller_is_not_the_codes_doing() -> None:
    assert found(delayed(healthy(), Kind.AGENT_PARTICIPANT_READY, 3000)) == []


def test_code_that_may_have_waited_for_the_callers_track_is_not_certain() -> None:
    recorded = delayed(healthy(), Kind.SESSION_STARTING, 3000)
    (start,) = [m.time for m in recorded if m.kind is Kind.SESSION_STARTING]

    def published(before: int) -> tuple[bool, bool]:
        moved = [
            replace(m, earliest=start - before, latest=start - before, time=start - before)
            if (m.kind, m.subject) == (Kind.TRACK_PUBLISHED, MICROPHONE)
            else m
            for m in recorded
        ]
        (finding,) = [one for one in explain(timeline(moved)).findings if one.cause.name == "slow-code"]
        return "when ada had published a track" in finding.sentence, finding.certain

    assert published(100 * NS_PER_MS) == (True, False)
    assert published(1500 * NS_PER_MS) == (False, True)


def test_a_wait_within_the_session_is_not_before_it() -> None:
    inner = [
        of_job(Kind.AGENT_WAITING_FOR_PARTICIPANT, 3400, occurrence="inner"),
        of_job(Kind.AGENT_PARTICIPANT_READY, 3401, occurrence="inner"),
    ]
    recorded = without(healthy(), Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_PARTICIPANT_READY)
    recorded = delayed(recorded, Kind.SESSION_STARTING, 3000)
    (finding,) = explain(timeline([*recorded, *inner])).findings
    assert "took 3.0 s before session.start()" in finding.sentence


@pytest.mark.parametrize(("batch", "names"), [(990, []), (1010, ["silent-caller"])])
def test_an_announcement_may_take_a_second(batch: float, names: list[str]) -> None:
    assert found(waits_for_silent(batch)) == names


def test_who_published_before_was_announced_at_once() -> None:
    spoke = _webhook(Kind.TRACK_PUBLISHED, MICROPHONE, 2200, {keys.PARTICIPANT_ID: ADA})
    assert found([*waits_for_silent(), spoke]) == []
    late = _webhook(Kind.TRACK_PUBLISHED, MICROPHONE, 5200, {keys.PARTICIPANT_ID: ADA})
    assert found([*waits_for_silent(), late]) == ["silent-caller"]


def test_without_webhooks_nobody_knows_of_tracks() -> None:
    (finding,) = explain(timeline(observed(waits_for_silent()))).findings
    assert (finding.cause.name, finding.certain) == ("silent-caller", False)


def test_an_agent_that_waited_for_its_caller_to_come_did_not_hear_of_them_late() -> None:
    # It waits for 1.7 s; the caller is ACTIVE, and 80 ms later the wait is over, though no track was published.
    assert found(waits_for_silent(80)) == []


@pytest.mark.parametrize("ahead", [300, -300, 3600 * 1000, -3600 * 1000])
@pytest.mark.parametrize(("batch", "names"), [(80, []), (1900, ["silent-caller"])])
def test_how_late_an_agent_heard_does_not_hang_on_its_clock(ahead: int, batch: float, names: list[str]) -> None:
    assert found(off(waits_for_silent(batch), ahead * NS_PER_S // 1000)) == names


def test_who_came_later_than_its_wait_ended_is_not_whom_it_waited_for() -> None:
    recorded = with_facts(waits_for_silent(), Kind.AGENT_PARTICIPANT_READY, JOB, {keys.PARTICIPANT_ID: "PA_unseen"})
    assert found(recorded) == []


def test_every_job_is_looked_at() -> None:
    slow = [m for m in delayed(healthy(), Kind.JOB_PROCESS_ASSIGNED, 4000) if m.subject == JOB and m.witness == "agent"]
    second = [replace(m, subject=SECOND) for m in slow]
    (finding,) = explain(timeline([*healthy(), *second])).findings
    assert finding.cause.name == "cold-process"
    assert SECOND in finding.sentence


MUSIC = _webhook(Kind.TRACK_PUBLISHED, "TR_music", 9050, {keys.PARTICIPANT_ID: AGENT})


def second_session(took: float, *, since: float = 9100) -> list[Moment]:
    """The job's session is closed at 9 s, and another starts 0.1 s later, which takes so many ms."""
    first = closed(long_call(), 9000, "user_initiated")
    starting = of_job(Kind.SESSION_STARTING, since, occurrence="second")
    return [*first, starting, of_job(Kind.SESSION_STARTED, since + took, occurrence="second")]


@pytest.mark.parametrize(
    ("moments", "named"),
    [
        (second_session(12_000), True),
        (second_session(4000), False),
        (second_session(12_000, since=8000), False),
        (second_session(12_000, since=33_000), False),
        (
            [
                *second_session(12_000, since=11_000),
                _webhook(Kind.TRACK_PUBLISHED, "TR_music", 9050, {keys.PARTICIPANT_ID: AGENT}),
            ],
            False,
        ),
    ],
    ids=["waited for", "no wait to speak of", "beside the first", "the caller has hung up", "with music"],
)
def test_a_later_session_that_starts_slowly_is_named_where_a_caller_waited_for_it(
    moments: list[Moment], named: bool
) -> None:
    said = [f.sentence for f in explain(timeline(moments)).findings if f.cause.name == "slow-session"]
    assert said == [f"In job {JOB}, session.start() of a later session took 12.0 s."] * named


def _music(since: float, until: float) -> list[Moment]:
    """A track that the agent publishes itself."""
    return [
        _webhook(Kind.TRACK_PUBLISHED, "TR_music", since, {keys.PARTICIPANT_ID: AGENT}),
        _webhook(Kind.TRACK_UNPUBLISHED, "TR_music", until, {}),
    ]


@pytest.mark.parametrize("since", [Kind.SESSION_STARTING, Kind.SESSION_STARTED])
def test_a_caller_who_hears_music_is_not_kept_waiting_by_code_or_session(since: Kind) -> None:
    late = delayed(delayed(healthy(), Kind.SESSION_STARTING, 1500), since, 8000)
    (name,) = found(late)
    assert found([*late, *_music(600, 8200)]) == []
    assert found([*late, *_music(600, 1200)]) == [name]


def test_a_session_that_connects_itself_is_not_slow_for_it() -> None:
    # session.start() before ctx.connect(), as LiveKit's examples do: connecting took 3 s of it.
    recorded = without(delayed(healthy(), Kind.AGENT_CONNECTED, 4000), Kind.SESSION_STARTING)
    recorded.append(of_job(Kind.SESSION_STARTING, 211, occurrence=SESSION))
    assert found(recorded) == ["slow-connect"]
    assert found(delayed(recorded, Kind.SESSION_STARTED, 2_900)) == ["slow-connect"]
    assert found(delayed(recorded, Kind.SESSION_STARTED, 3_000)) == ["slow-connect", "slow-session"]


def test_what_was_missing_beside_a_late_agent_is_said() -> None:
    late = delayed(healthy(), Kind.SESSION_STARTED, 4000)
    assert explain(timeline(late)).summary == "The agent's session.start() was slow."
    mute = [m for m in late if m.subject != VOICE and m.kind is not Kind.SESSION_AUDIO_PUBLISHED]
    assert "was slow; and no audio track of agent-" in explain(timeline(mute)).summary
