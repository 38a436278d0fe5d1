"""What is taken away in the middle of a call: a permission, a subscription, the agent's voice; and what looks so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, AGENT, JOB, MICROPHONE, VOICE, _polled, _webhook, moment, ms
from tests.why.cases import BOB, Case, check, found, moved, of_job, second_agent, timeline, with_facts, without
from tests.why.silent.conversation import bob_speaks, conversation, event, hears, lasting, wait_in_vain
from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.why import explain
from tracer.why.call import Call
from tracer.why.served import lacks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Fact

MAY: dict[str, Fact] = {keys.CAN_PUBLISH: True, keys.CAN_SUBSCRIBE: True, keys.CAN_PUBLISH_SOURCES: ""}


def reported(kind: Kind, subject: str, at: float, told: dict[str, Fact]) -> Moment:
    """What the agent's room reports of somebody."""
    about = {keys.JOB_ID: JOB, **told}
    return moment(kind, subject, ms(at), witness="agent", clock="agent", occurrence=str(at), told=about)


def permission(at: float, who: str = ADA, **may: bool | str) -> Moment:
    changed = {str(getattr(keys, name.upper())): value for name, value in may.items()}
    return reported(Kind.PARTICIPANT_PERMISSIONS_CHANGED, who, at, {**MAY, **changed})


def subscription(kind: Kind, at: float) -> Moment:
    return reported(kind, MICROPHONE, at, {keys.PARTICIPANT_ID: ADA, keys.TRACK_SOURCE: "MICROPHONE"})


def speaks(at: float) -> Moment:
    return of_job(Kind.AGENT_SPEAKING, at, occurrence=f"spoke{at}")


def call(*more: Moment) -> list[Moment]:
    """A conversation of 24 s."""
    allowed = with_facts(conversation(), Kind.PARTICIPANT_JOINING, ADA, MAY)
    allowed = with_facts(allowed, Kind.PARTICIPANT_JOINING, AGENT, MAY)
    return [*lasting(allowed, 20_000), *more]


def muted(kind: Kind, at: float) -> Moment:
    return reported(kind, VOICE, at, {keys.PARTICIPANT_ID: AGENT})


UNPUBLISHED = _webhook(Kind.TRACK_UNPUBLISHED, MICROPHONE, 3005, {keys.PARTICIPANT_ID: ADA})
TAKEN = permission(3000, can_publish=False)
LOST = subscription(Kind.TRACK_UNSUBSCRIBED, 3000)
CHANGED = Kind.PARTICIPANT_PERMISSIONS_CHANGED

TAKEN_AWAY = (
    Case(
        "the caller may no longer publish",
        "permission-taken-away",
        call(TAKEN, UNPUBLISHED),
        "The permission to publish a microphone (canPublish) was taken from ada during the call, and for 21.1 s"
        " agent-AJ_i9CF did not hear ada.",
        ((Kind.SESSION_WAITING_FOR_AUDIO, JOB), (CHANGED, ADA), (Kind.TRACK_UNPUBLISHED, MICROPHONE)),
    ),
    Case(
        "the caller may publish a camera only",
        "permission-taken-away",
        call(permission(3000, can_publish_sources="CAMERA")),
        "for 21.1 s agent-AJ_i9CF did not hear ada",
        ((Kind.SESSION_WAITING_FOR_AUDIO, JOB), (CHANGED, ADA)),
    ),
    Case(
        "the caller may no longer subscribe",
        "permission-taken-away",
        call(permission(3000, can_subscribe=False), speaks(5000)),
        "The permission to subscribe (canSubscribe) was taken from ada during the call, and for 21.1 s ada did not hear"
        " agent-AJ_i9CF.",
        ((Kind.TRACK_PUBLISHED, VOICE), (CHANGED, ADA), (Kind.AGENT_SPEAKING, JOB)),
    ),
    Case(
        "the agent may no longer publish, and does not try to speak",
        "permission-taken-away",
        call(permission(3000, AGENT, can_publish=False)),
        "was taken from agent-AJ_i9CF during the call, and for 21.1 s ada did not hear agent-AJ_i9CF.",
        ((Kind.TRACK_PUBLISHED, VOICE), (CHANGED, AGENT)),
        certain=False,
    ),
    Case(
        "the agent may no longer subscribe",
        "permission-taken-away",
        call(permission(3000, AGENT, can_subscribe=False), replace(LOST, time=ms(3010), latest=ms(3010))),
        "for 21.1 s agent-AJ_i9CF did not hear ada.",
        ((Kind.SESSION_WAITING_FOR_AUDIO, JOB), (CHANGED, AGENT)),
    ),
    Case(
        "the agent's track is muted",
        "agent-muted",
        call(muted(Kind.TRACK_MUTED, 3000), speaks(8000)),
        "The audio track of agent-AJ_i9CF was muted for 21.1 s while ada was there, and the agent spoke once"
        " meanwhile.",
        ((Kind.TRACK_MUTED, VOICE), (Kind.AGENT_SPEAKING, JOB)),
    ),
    Case(
        "the agent's track is muted for a while, and reported twice",
        "agent-muted",
        call(
            muted(Kind.TRACK_MUTED, 3000),
            muted(Kind.TRACK_MUTED, 3001),
            *(speaks(at) for at in (5000, 8000, 16_000)),
            muted(Kind.TRACK_UNMUTED, 12_000),
        ),
        "was muted for 9.0 s while ada was there, and the agent spoke 2 times meanwhile.",
        ((Kind.TRACK_MUTED, VOICE), (Kind.AGENT_SPEAKING, JOB), (Kind.TRACK_UNMUTED, VOICE)),
    ),
    Case(
        "the agent unsubscribes from the caller",
        "agent-unsubscribed",
        call(LOST),
        f"The agent of job {JOB} was unsubscribed from the microphone of ada during the call, and for 21.1 s heard"
        " nothing of them.",
        ((Kind.SESSION_AUDIO_RECEIVED, JOB), (Kind.TRACK_UNSUBSCRIBED, MICROPHONE)),
        certain=False,
    ),
)


@pytest.mark.parametrize("case", TAKEN_AWAY, ids=lambda case: case.label)
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


def test_of_two_witnesses_of_one_change_the_more_accurate_counts() -> None:
    seen = _polled(CHANGED, ADA, 1000, 3100, {**MAY, keys.CAN_PUBLISH: False})
    (finding,) = explain(timeline(call(replace(seen, occurrence="poll"), TAKEN))).findings
    assert [step.witnesses for step in finding.evidence if step.kind is CHANGED] == [("agent",)]
    (finding,) = explain(timeline(call(replace(seen, occurrence="poll")))).findings
    assert "for 21.0 s" in finding.sentence, "for certain since the later of the two polls"


@pytest.mark.parametrize(
    "recorded",
    [
        call(permission(3000, hidden=True)),
        call(TAKEN, permission(12_000)),
        call(permission(20_000, can_publish=False)),
        call(permission(3000, can_publish_sources="CAMERA,MICROPHONE")),
        call(permission(3000, can_subscribe=False), *bob_speaks(left=24_000)),
        call(TAKEN, *bob_speaks(left=24_000)),
        call(subscription(Kind.TRACK_UNSUBSCRIBED, 20_000)),
        call(LOST, subscription(Kind.TRACK_SUBSCRIBED, 16_000)),
        call(LOST, speaks(5000)),
        call(LOST, UNPUBLISHED),
        call(LOST, *bob_speaks(left=24_000)),
        [*call(LOST), _webhook(Kind.TRACK_PUBLISHED, "TR_again", 5000, {keys.PARTICIPANT_ID: ADA})],
        [*call(LOST), _webhook(Kind.TRACK_PUBLISHED, "TR_music", 5000, {keys.PARTICIPANT_ID: AGENT})],
    ],
    ids=[
        "another permission",
        "given back soon",
        "at the end of the call",
        "a microphone is still allowed",
        "a caller with another one",
        "a speaker with another one",
        "unsubscribed at the end of the call",
        "on hold",
        "an announcement",
        "unpublished",
        "two who can talk to each other",
        "published anew",
        "music",
    ],
)
def test_what_is_taken_and_nobody_misses(recorded: list[Moment]) -> None:
    assert not {"permission-taken-away", "agent-unsubscribed"} & set(found(recorded))


def lacked(recorded: Iterable[Moment]) -> list[str]:
    return [lack.sentence for lack in lacks(Call(timeline(list(recorded))))]


def test_who_was_not_subscribed_to_for_long_lacked_that_and_a_short_while_is_nothing() -> None:
    held = "for 13.0 s agent-AJ_i9CF was not subscribed to the microphone of ada"
    assert lacked(call(LOST, subscription(Kind.TRACK_SUBSCRIBED, 16_000))) == [held]
    assert lacked(call(LOST, subscription(Kind.TRACK_SUBSCRIBED, 9000))) == []


def test_a_permission_that_was_missing_for_long_is_not_well() -> None:
    without_it = "ada was without the permission to publish (canPublish) for 12.0 s"
    assert lacked(call(TAKEN, permission(15_000))) == [without_it]
    assert lacked(call(TAKEN, permission(9000))) == []
    assert lacked(call(permission(20_000, can_publish=False))) == []


@pytest.mark.parametrize(
    "more",
    [
        [speaks(8000), muted(Kind.TRACK_UNMUTED, 7000)],
        [],
        [speaks(3900)],
        [speaks(6000), muted(Kind.TRACK_UNMUTED, 7900)],
        [speaks(8000), _webhook(Kind.TRACK_PUBLISHED, "TR_music", 2000, {keys.PARTICIPANT_ID: AGENT})],
    ],
    ids=["spoke after", "was silent", "spoke as it was muted", "for a moment", "has another track"],
)
def test_a_mute_in_which_nothing_was_missed_is_no_fault(more: list[Moment]) -> None:
    assert "agent-muted" not in found(call(muted(Kind.TRACK_MUTED, 3000), *more))


def test_that_a_caller_was_muted_to_the_end_is_said_of_a_call_that_went_well() -> None:
    hers: dict[str, Fact] = {keys.PARTICIPANT_ID: ADA}
    silenced = reported(Kind.TRACK_MUTED, MICROPHONE, 12_000, hers)
    answer = explain(timeline(call(silenced)))
    assert (answer.well, answer.summary) == (
        True,
        "All went well; the microphone of ada was muted for the last 12.1 s.",
    )
    back = reported(Kind.TRACK_UNMUTED, MICROPHONE, 20_000, hers)
    assert explain(timeline(call(silenced, back))).summary == "All went well."


# waited-for-another, where the other one comes


def comes_late(at: float, *more: Moment) -> list[Moment]:
    """bob waits with an agent that waits for ada, who comes at this time, ms."""
    rest = {ADA, MICROPHONE}
    waited = [moved(m, at) if m.subject in rest and m.time < ms(4000) else m for m in wait_in_vain(20_000, ended=False)]
    ready: dict[str, Fact] = {keys.PARTICIPANT_ID: ADA, keys.PARTICIPANT_IDENTITY: "ada", keys.PARTICIPANT_FILTER: True}
    return [
        *waited,
        of_job(Kind.AGENT_PARTICIPANT_READY, at + 300, ready, waited_for(waited)),
        event(Kind.SESSION_LINKED, at + 370),
        *hears(at + 371),
        *bob_speaks(left=24_000),
        *more,
    ]


def by_telephone(one: Moment) -> Moment:
    """The same, where ada is called by telephone."""
    known = facts({**dict(one.facts), keys.PARTICIPANT_KIND: "SIP"})
    return replace(one, facts=known) if one.subject == ADA else one


def waited_for(recorded: list[Moment]) -> str:
    return next(m.occurrence for m in recorded if m.kind is Kind.AGENT_WAITING_FOR_PARTICIPANT)


def test_who_waits_until_another_one_comes_has_waited() -> None:
    explanation = explain(timeline(comes_late(14_000)))
    finding = explanation.findings[0]
    assert (finding.cause.name, finding.certain) == ("waited-for-another", False)
    assert "waited 13.9 s for one identity, while bob was there for 13.9 s" in finding.sentence


@pytest.mark.parametrize(
    "recorded",
    [
        comes_late(5000),
        without(comes_late(14_000), "TR_bob"),
        [by_telephone(m) for m in comes_late(14_000)],
        [
            *call(),
            of_job(Kind.AGENT_WAITING_FOR_PARTICIPANT, 900, {keys.PARTICIPANT_FILTER: True}, "colleague"),
            of_job(Kind.AGENT_PARTICIPANT_READY, 14_000, {keys.PARTICIPANT_ID: BOB}, "colleague"),
            *bob_speaks(13_500, 24_000, 13_800),
        ],
    ],
    ids=["soon", "a supervisor, who says nothing", "a telephone is called", "a colleague, in a conversation"],
)
def test_waits_for_another_that_nobody_minds(recorded: list[Moment]) -> None:
    assert "waited-for-another" not in found(recorded)


# a second caller, to whom no session listens


def beside(left: float = 24_000, *more: Moment) -> list[Moment]:
    """bob has a microphone, and the session listens to ada."""
    return [*call(speaks(2000), speaks(20_000)), *bob_speaks(left=left), *more]


def test_a_caller_to_whom_no_session_listened_is_not_well() -> None:
    (sentence,) = lacked(beside())
    assert sentence == "in 19.6 s no session listened to bob, only to ada"
    assert explain(timeline(beside())).well is None


def test_nor_is_one_who_speaks_beside_a_caller_of_whom_only_silence_comes() -> None:
    silent = moment(Kind.TRACK_SILENT, MICROPHONE, ms(1200), witness="agent")
    loud = moment(Kind.TRACK_UNNOTICED, "TR_bob", ms(12_000), witness="agent", told={keys.SOUNDED_FOR: 6.0})
    alone = [*call(speaks(2000)), *bob_speaks(left=24_000)]
    (sentence,) = lacked([*alone, silent, loud])
    assert sentence == "in 23.6 s no session listened to bob, only to ada, of whom only silence came"
    assert lacked([*alone, silent]) == lacked([*alone, loud]) == []


def test_nothing_is_said_of_one_who_only_listens_who_is_listened_to_later_or_whom_the_agent_leaves_alone() -> None:
    assert lacked(without(beside(), "TR_bob")) == []
    assert lacked(beside(9000)) == []
    assert lacked(beside(24_000, event(Kind.SESSION_LINKED, 18_000, BOB, "bob"))) == []
    assert lacked([*call(speaks(2000)), *bob_speaks(left=24_000)]) == []
    assert lacked([*beside(), *second_agent("AD_two", "helper")]) == []
