"""Who does not hear whom, and what looks as if, and is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.moments import ADA, AGENT, JOB, SESSION, _webhook, ms
from tests.why.cases import (
    BOB,
    Case,
    bob,
    check,
    doubted,
    error,
    found,
    moved,
    observed,
    of_job,
    second_agent,
    timeline,
    with_facts,
    without,
)
from tests.why.silent.cases import NONE, WHO_HEARS_WHOM
from tests.why.silent.conversation import (
    BOBS,
    MICROPHONE,
    VOICE,
    bob_speaks,
    conversation,
    event,
    hears,
    kept_session,
    lasting,
    permitted,
    said,
    unheard,
    wait_in_vain,
)
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.why import explain

MAY_NOT_PUBLISH = permitted(unheard(MICROPHONE), ADA, keys.CAN_PUBLISH)


@pytest.mark.parametrize("case", WHO_HEARS_WHOM, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


def test_a_conversation_is_well() -> None:
    explanation = explain(timeline(conversation()))
    assert (explanation.findings, explanation.doubts) == ((), ())


# missing-permission


def granted_later() -> list[Moment]:
    """The caller's permission comes with UpdateParticipant: each webhook holds what was true then."""
    joined = permitted(conversation(), ADA, keys.CAN_PUBLISH)
    return with_facts(joined, Kind.PARTICIPANT_LEFT, ADA, {keys.CAN_PUBLISH: True})


@pytest.mark.parametrize(
    "recorded",
    [
        [
            *permitted(without(conversation(), "x"), BOB, keys.CAN_PUBLISH),
            *permitted(bob(1, 4150), BOB, keys.CAN_PUBLISH),
        ],
        [*conversation(), *permitted(bob(1, 4150), BOB, keys.CAN_SUBSCRIBE)],
        permitted(unheard(MICROPHONE, Kind.SESSION_WAITING_FOR_AUDIO), ADA, keys.CAN_PUBLISH),
        granted_later(),
        permitted(conversation(), ADA, keys.CAN_PUBLISH_SOURCES, "CAMERA,MICROPHONE"),
        permitted(without(unheard(MICROPHONE), VOICE, Kind.SESSION_AUDIO_PUBLISHED), AGENT, keys.CAN_PUBLISH),
        permitted(without(conversation(), VOICE, Kind.SESSION_AUDIO_PUBLISHED), ADA, keys.CAN_SUBSCRIBE),
    ],
    ids=[
        "an audience beside a caller",
        "a camera beside a caller",
        "a session of text",
        "granted during the call",
        "a microphone is allowed",
        "an agent that listens only",
        "nobody to be heard",
    ],
)
def test_who_needs_no_permission(recorded: list[Moment]) -> None:
    assert "missing-permission" not in found(recorded)


def test_a_caller_who_writes_is_a_doubt_and_so_is_one_whose_agent_reports_nothing() -> None:
    how = "ada may not publish a microphone (canPublish): grant it, unless they write to the agent or only listen"
    for recorded in ([*MAY_NOT_PUBLISH, *said(2)], without(MAY_NOT_PUBLISH, "agent")):
        assert "missing-permission" not in found(recorded)
        assert doubted(explain(timeline(recorded)))["missing-permission"] == how
    assert found([*MAY_NOT_PUBLISH, *said(1)]) == ["missing-permission"]


def test_what_an_agent_that_reports_nothing_wanted_is_a_doubt() -> None:
    recorded = permitted(without(conversation(), "agent", VOICE), AGENT, keys.CAN_PUBLISH)
    explanation = explain(timeline(recorded))
    assert "missing-permission" not in {finding.cause.name for finding in explanation.findings}
    assert "unless the agent is meant to listen" in doubted(explanation)["missing-permission"]


def test_of_two_callers_who_may_not_publish_one_is_enough_and_not_certain() -> None:
    recorded = [*MAY_NOT_PUBLISH, *permitted(bob(1, 4150), BOB, keys.CAN_PUBLISH)]
    (finding,) = explain(timeline(recorded)).findings
    assert (finding.cause.name, finding.certain) == ("missing-permission", False)


# agent-hidden


def test_a_hidden_agent_that_is_not_for_the_callers() -> None:
    silent = without(conversation(), VOICE, Kind.SESSION_AUDIO_PUBLISHED)
    transcriber = permitted(silent, AGENT, keys.HIDDEN, value=True)
    assert "agent-hidden" not in found(transcriber)  # its session has closed, and wanted no voice
    with_a_track = permitted(conversation(), AGENT, keys.HIDDEN, value=True)
    assert found([*with_a_track, *bob_speaks()]) == []  # two callers talk, and it never says a word
    assert "agent-hidden" not in found([*transcriber, *second_agent("AD_again", "helper", at=100)])
    later = with_facts([*with_a_track, *said(1)], Kind.PARTICIPANT_LEFT, AGENT, {keys.HIDDEN: False})
    assert "agent-hidden" not in found(later)


def test_a_hidden_caller_listens_only() -> None:
    watcher = permitted(bob_speaks(left=20_000), BOB, keys.HIDDEN, value=True)
    assert found([*kept_session(20_000), *watcher]) == []
    assert found(permitted(wait_in_vain(20_000), ADA, keys.HIDDEN, value=True)) == []


# caller-hidden

UNSEEN = permitted(wait_in_vain(20_000, named=False), ADA, keys.HIDDEN, value=True)


@pytest.mark.parametrize(
    "recorded",
    [
        without(UNSEEN, MICROPHONE),
        [*UNSEEN, *bob_speaks(left=20_000)],
    ],
    ids=["they only listen", "another caller can be seen"],
)
def test_who_is_hidden_and_may_be_on_purpose(recorded: list[Moment]) -> None:
    assert "caller-hidden" not in found(recorded)
    assert "caller-hidden" not in doubted(explain(timeline(recorded)))


def test_who_did_not_make_the_room_may_have_come_to_listen() -> None:
    made = [moved(m, -1000) if m.kind in (Kind.ROOM_CREATED, Kind.DISPATCH_CREATED) else m for m in UNSEEN]
    (finding,) = explain(timeline(made)).findings
    assert (finding.cause.name, finding.certain) == ("caller-hidden", False)


def test_while_the_agent_waits_for_a_hidden_caller_it_is_a_doubt() -> None:
    there = [m for m in UNSEEN if m.time < ms(5000) and m.kind is not Kind.PARTICIPANT_LEFT]
    explanation = explain(timeline(there, now=ms(9000)))
    assert explanation.findings == ()
    assert "they are hidden" in doubted(explanation)["caller-hidden"]
    polled = permitted(observed(UNSEEN), ADA, keys.HIDDEN, value=True)
    assert "caller-hidden" in doubted(explain(timeline(polled)))  # no webhook told whether they publish anything
    reported = without(UNSEEN, Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_WAIT_ENDED)
    assert "caller-hidden" in doubted(explain(timeline(reported)))


# caller-not-heard


@pytest.mark.parametrize(
    "recorded",
    [
        with_facts(conversation(), Kind.AGENT_CONNECTED, JOB, NONE),
        with_facts(unheard(MICROPHONE), Kind.AGENT_CONNECTED, JOB, NONE),
        with_facts(unheard(Kind.SESSION_WAITING_FOR_AUDIO), Kind.AGENT_CONNECTED, JOB, NONE),
        lasting(unheard(), 20_000),
        [*lasting(unheard(), 20_000), of_job(Kind.SESSION_TRACK_SUBSCRIBED, 380, occurrence="a0d10a0d10a0d10a")],
        with_facts(unheard(), Kind.TRACK_PUBLISHED, MICROPHONE, {keys.TRACK_SOURCE: "CAMERA"}),
        [*with_facts(conversation(), Kind.TRACK_PUBLISHED, MICROPHONE, {keys.TRACK_SOURCE: "SCREEN_SHARE_AUDIO"})],
    ],
    ids=[
        "the agent subscribes by itself",
        "the caller writes",
        "the session takes no audio",
        "perhaps muted",
        "subscribed, and perhaps muted",
        "a camera",
        "heard all the same",
    ],
)
def test_who_is_heard_or_says_nothing(recorded: list[Moment]) -> None:
    assert "caller-not-heard" not in found(recorded)


def test_a_microphone_that_may_be_muted_is_a_doubt() -> None:
    how = "see whether ada's microphone was muted: the session received no audio of it for 24 s"
    assert doubted(explain(timeline(lasting(unheard(), 20_000))))["caller-not-heard"] == how
    assert doubted(explain(timeline(unheard()))) == {}


def test_a_caller_who_writes_beside_a_microphone_that_is_not_heard_is_not_certain() -> None:
    recorded = [*with_facts(unheard(), Kind.AGENT_CONNECTED, JOB, NONE), *said(3)]
    assert [finding.certain for finding in explain(timeline(recorded)).findings] == [False]


# agent-has-no-voice


def fails_to_speak(at: float) -> list[Moment]:
    failed = of_job(Kind.SESSION_AUDIO_FAILED, at, error("PublishTrackError", "timed out"))
    return [*without(conversation(), VOICE, Kind.SESSION_AUDIO_PUBLISHED), failed]


def test_a_voice_that_fails_when_nobody_is_there_or_comes_later() -> None:
    assert found(fails_to_speak(400)) == ["agent-has-no-voice"]
    assert found(fails_to_speak(4090)) == []
    assert found([*fails_to_speak(400), of_job(Kind.SESSION_AUDIO_PUBLISHED, 900, occurrence="again")]) == []
    assert found(permitted(fails_to_speak(400), AGENT, keys.CAN_PUBLISH)) == ["missing-permission"]


# waited-for-another


def serving(recorded: list[Moment]) -> list[Moment]:
    """The same, in which the agent has a track, as for music."""
    voice = {keys.PARTICIPANT_ID: AGENT, keys.TRACK_SOURCE: "UNKNOWN"}
    return [*recorded, _webhook(Kind.TRACK_PUBLISHED, VOICE, 390, voice)]


@pytest.mark.parametrize(
    "recorded",
    [
        wait_in_vain(1_000),
        wait_in_vain(5_000, named=False),
        wait_in_vain(5_000, named=None),
        serving(wait_in_vain(20_000)),
        [*lasting(conversation(), 20_000), of_job(Kind.AGENT_WAITING_FOR_PARTICIPANT, 900, occurrence="colleague")],
        without(wait_in_vain(20_000), ADA, MICROPHONE),
        [*wait_in_vain(20_000), of_job(Kind.AGENT_RECONNECTING, 2000), of_job(Kind.AGENT_CONNECTION_LOST, 17_000)],
    ],
    ids=[
        "a short call",
        "a caller who is announced late",
        "it is not known for whom",
        "music meanwhile",
        "a colleague, in a conversation",
        "nobody came",
        "cut off meanwhile",
    ],
)
def test_waits_that_keep_nobody_waiting(recorded: list[Moment]) -> None:
    assert "waited-for-another" not in found(recorded)


def test_a_wait_that_goes_on_is_found_while_the_caller_is_there() -> None:
    running = [m for m in wait_in_vain(60_000, ended=False) if m.time < ms(5000)]
    assert found(running, now=ms(5_000)) == []
    (finding,) = explain(timeline(running, now=ms(15_000))).findings
    assert finding.sentence == (
        f"The agent of job {JOB} has waited 14.6 s for one identity, while ada was there for 14.6 s."
    )


# linked-to-another and linked-to-nobody


def switched(at: float) -> list[Moment]:
    """The session is linked to bob, who says nothing, and at this time, ms, to ada."""
    kept = without(unheard(), Kind.SESSION_LINKED, Kind.SESSION_WAITING_FOR_AUDIO)
    links = [event(Kind.SESSION_LINKED, 370, BOB, "bob"), event(Kind.SESSION_LINKED, at)]
    return [*lasting([*kept, *bob(1, 4150)], 30_000), *links, *hears(at)]


def test_a_session_that_turns_to_the_caller_who_speaks() -> None:
    assert found(switched(3000)) == []
    assert found(switched(9000)) == []
    assert found(switched(12_000)) == ["linked-to-another"]


@pytest.mark.parametrize(
    ("left", "mine", "cause"),
    [
        (20_000, BOB, [("linked-to-another", True)]),
        (9_000, BOB, [("linked-to-another", False)]),
        (4_000, BOB, []),  # he had hardly come
        (20_000, ADA, []),  # the job was sent for her
        (20_000, "PA_gone", []),  # whom nobody knows
    ],
)
def test_a_job_that_was_sent_for_one_participant_and_listens_to_another(
    left: float, mine: str, cause: list[tuple[str, bool]]
) -> None:
    recorded = [*lasting(conversation(), 20_000), *bob_speaks(left=left)]
    recorded = with_facts(
        recorded, Kind.JOB_OFFERED, JOB, {keys.JOB_TYPE: "JT_PUBLISHER", keys.JOB_PARTICIPANT_ID: mine}
    )
    findings = explain(timeline(recorded)).findings
    assert [(finding.cause.name, finding.certain) for finding in findings] == cause
    for finding in findings:
        assert f"Job {JOB} was sent for bob (JT_PUBLISHER), and its session was linked to ada: bob" in finding.sentence
        assert "ctx.job.participant.identity" in finding.advice
    # All is well where it turns to the one whom it was sent for.
    turned = [*recorded, event(Kind.SESSION_LINKED, 1500, BOB, "bob"), *hears(1500, "bob", wait="b")]
    assert found(turned) == (["linked-to-another"] if mine == ADA else [])


def test_a_session_turns_to_the_one_who_stays() -> None:
    again = [*kept_session(20_000), *bob_speaks(left=20_000)]
    assert found(again) == ["linked-to-nobody"]
    assert found([*again, event(Kind.SESSION_LINKED, 4200, BOB, "bob"), *hears(4200, "bob", wait="b")]) == []
    assert found([*kept_session(20_000), *bob_speaks(left=9_000)]) == []  # he was about to leave
    assert found([*kept_session(20_000), *bob(1, 20_000)]) == []  # he has no microphone
    assert found([m for m in again if m.subject != BOBS]) == []
    closed = [m for m in again if m.kind is not Kind.SESSION_CLOSED]
    assert "linked-to-nobody" not in found([*closed, of_job(Kind.SESSION_CLOSED, 4160, occurrence=SESSION)])


def test_an_agent_that_is_cut_off_reports_that_everybody_left() -> None:
    stays = [m for m in lasting(conversation(), 20_000) if m.kind is not Kind.SESSION_UNLINKED]
    assert found([*stays, event(Kind.SESSION_UNLINKED, 3000)]) == []


def test_where_first_events_were_dropped_the_waits_show_the_first_link() -> None:
    dropped = with_facts(switched(12_000), Kind.SESSION_STARTING, JOB, {keys.EVENTS_DROPPED: True})
    late = [m for m in dropped if not (m.kind is Kind.SESSION_LINKED and m.time < ms(1000))]
    assert found(late) == []  # by its wait, it was ada whom it heard from the start
    known = {keys.PARTICIPANT_ID: BOB, keys.PARTICIPANT_IDENTITY: "bob"}
    waits = [replace(m, time=m.time) for m in late if m.kind is not Kind.AGENT_PARTICIPANT_READY]
    assert found([*waits, of_job(Kind.AGENT_PARTICIPANT_READY, 369, known, "inner")]) == ["linked-to-another"]


def test_without_webhooks_nobody_knows_what_there_was_to_hear() -> None:
    recorded = observed(lasting(unheard(), 20_000))
    assert "send webhooks" in doubted(explain(timeline(recorded)))["caller-not-heard"]


def test_a_permission_that_was_granted_shows_by_the_track() -> None:
    track = {keys.PARTICIPANT_ID: ADA, keys.TRACK_SOURCE: "MICROPHONE"}
    assert found([*MAY_NOT_PUBLISH, _webhook(Kind.TRACK_PUBLISHED, MICROPHONE, 2000, track)]) == []


def test_a_hidden_agent_that_may_not_publish_is_meant_to_listen() -> None:
    recorded = permitted(fails_to_speak(400), AGENT, keys.CAN_PUBLISH)
    assert "missing-permission" not in found(permitted(recorded, AGENT, keys.HIDDEN, value=True))
