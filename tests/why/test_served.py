"""What a call lacks that went well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, AGENT, JOB, MICROPHONE, ROOM, VOICE, moment, ms
from tests.why.cases import healthy, heard, moved, names, of_job, registered, timeline, with_facts, without
from tracer import keys
from tracer.kinds import Kind
from tracer.moment import facts
from tracer.why import explain
from tracer.why.call import Call
from tracer.why.served import lacks
from tracer.why.served.stay import CallerStay
from tracer.why.served.voice import no_voice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Fact, Moment
    from tracer.why import Explanation

AUDIO = {m.kind for m in heard()}
INPUT_OFF, INPUT_ON = Kind.SESSION_AUDIO_INPUT_OFF, Kind.SESSION_AUDIO_INPUT_ON
OUTPUT_OFF = Kind.SESSION_AUDIO_OUTPUT_OFF
DEAF = "whether the agent heard ada is not known: its audio input was turned off for the last"
MUTE = "whether ada heard the agent is not known: its audio output was turned off for the last"


def explained(moments: Iterable[Moment], now: int = ms(60_000)) -> Explanation:
    return explain(timeline(list(moments), registered(), now=now))


def lacked(moments: Iterable[Moment]) -> list[tuple[str, bool]]:
    return [(lack.sentence, lack.certain) for lack in lacks(Call(timeline(list(moments), registered())))]


def test_a_healthy_call_lacks_nothing() -> None:
    assert lacked(healthy()) == []
    assert explained(healthy()).well is True


@pytest.mark.parametrize(
    ("moments", "lack"),
    [
        (without(healthy(), VOICE, *AUDIO), "no audio track of agent-AJ_i9CF"),
        (without(healthy(), *AUDIO), "nothing shows that an agent heard ada in"),
        (without(healthy(), MICROPHONE, *AUDIO), "no agent could hear ada, who published no track"),
        (without(healthy(), VOICE, Kind.SESSION_AUDIO_PUBLISHED), "no audio track of agent-AJ_i9CF"),
    ],
    ids=["no audio at all but the caller's", "not heard", "no microphone", "no voice"],
)
def test_what_is_not_known_is_not_well(moments: list[Moment], lack: str) -> None:
    assert [(sentence.startswith(lack), certain) for sentence, certain in lacked(moments)] == [(True, False)]
    answer = explained(moments)
    assert (names(answer), answer.well) == ([], None)
    assert answer.summary.startswith(f"Nothing wrong was recorded, but {lack}")


def test_of_who_shows_pictures_only_no_audio_is_known() -> None:
    pictures = with_facts(without(healthy(), *AUDIO), Kind.TRACK_PUBLISHED, MICROPHONE, {keys.TRACK_SOURCE: "CAMERA"})
    [(lack, certain)] = lacked(pictures)
    assert (lack.endswith(" together: of ada no audio track is known, only video"), certain) == (True, False)


def test_an_agent_that_speaks_is_not_text_only_and_its_caller_may_write() -> None:
    spoke = [*without(healthy(), MICROPHONE, *AUDIO), of_job(Kind.AGENT_SPEAKING, 1000, occurrence="said")]
    [(lack, _)] = lacked(spoke)
    assert lack == "no agent could hear ada, who published no track, and whether they wrote to it is not known"


@pytest.mark.parametrize("kind", ["INGRESS", "AGENT"])
def test_whom_no_agent_waits_for_is_there_all_the_same(kind: str) -> None:
    of_kind = facts({keys.PARTICIPANT_KIND: kind, keys.PARTICIPANT_IDENTITY: "ada"})
    another = [replace(m, facts=of_kind) if m.subject == ADA else m for m in healthy()]
    summary = explained(another).summary
    assert summary.startswith(f"No caller joined: only ada ({kind}) and agent-{JOB} (AGENT) were there, for ")
    assert "ctx.wait_for_participant() waits for no participant of these kinds" in summary


@pytest.mark.parametrize(
    ("withdrawn", "anew", "known"), [(2000, False, False), (2000, True, True), (52_000, False, True)]
)
def test_an_agent_that_withdraws_its_voice_in_mid_call_may_not_be_heard(
    withdrawn: float, anew: bool, known: bool
) -> None:
    later = [moved(m, 55_000) if m.time > ms(4000) else m for m in healthy()]
    ended = moment(Kind.TRACK_UNPUBLISHED, VOICE, ms(withdrawn), witness="webhook")
    published = [replace(m, subject="TR_another") for m in later if m.subject == VOICE and anew]
    lack = [sentence for sentence, certain in lacked([*later, ended, *published]) if not certain]
    assert (lack == []) is known, lack
    assert known or lack[0].startswith("no agent had an audio track in the last 57.1 s with ada")


def test_what_runs_when_a_turn_is_over_is_not_what_comes_of_an_answer() -> None:
    """A model that is asked before the turn is over has answered before the agent's own code of the turn runs."""
    later = [moved(m, 55_000) if m.time > ms(4000) else m for m in healthy()]
    asked = [of_job(Kind.MODEL_ASKED, 5000, occurrence="ask"), of_job(Kind.MODEL_ANSWERED, 5050, occurrence="ask")]

    def runs(span: str) -> Moment:
        return of_job(Kind.AGENT_CODE_BEGAN, 6000, {keys.SPAN_NAME: span}, "code")

    lack = ("a model answered, and in 54.0 s no word of the agent was recorded", False)
    assert lacked([*later, *asked, runs("on_user_turn_completed")]) == [lack]
    assert lacked([*later, *asked, runs("function_tool")]) == []


def test_a_later_session_whose_answer_is_not_heard_is_told_of_though_an_earlier_one_closed() -> None:
    later = [moved(m, 55_000) if m.time > ms(4000) and m.kind is not Kind.SESSION_CLOSED else m for m in healthy()]
    ada: dict[str, Fact] = {keys.LINKED_ID: ADA, keys.LINKED_IDENTITY: "ada"}
    second = [
        of_job(Kind.SESSION_STARTING, 5000, {keys.JOB_ID: JOB}, "second"),
        of_job(Kind.SESSION_LINKED, 5010, ada, "second@5010"),
        of_job(Kind.MODEL_ASKED, 6000, occurrence="ask"),
        of_job(Kind.MODEL_ANSWERED, 6100, occurrence="ask"),
        of_job(Kind.SESSION_CLOSED, 59_110, occurrence="second"),
    ]
    assert lacked([*later, *second]) == [("a model answered, and in 53.0 s no word of the agent was recorded", False)]


@pytest.mark.parametrize("shows", [None, Kind.SESSION_AUDIO_PUBLISHED, Kind.AGENT_SPEAKING])
def test_a_voice_that_nobody_subscribed_to_may_not_be_heard(shows: Kind | None) -> None:
    later = without([moved(m, 55_000) if m.time > ms(4000) else m for m in healthy()], Kind.SESSION_AUDIO_PUBLISHED)
    found = lacked([*later, *([of_job(shows, 3000, occurrence="voice")] if shows else ())])
    lack = "nothing shows that ada was subscribed to the agent's audio track"
    assert found == ([] if shows else [(lack, False)])


@pytest.mark.parametrize(("voices", "twice"), [(1, False), (2, True)])
def test_two_sessions_of_one_job_may_both_answer(voices: int, twice: bool) -> None:
    later = [moved(m, 55_000) if m.time > ms(4000) else m for m in healthy()]
    ada: dict[str, Fact] = {keys.LINKED_ID: ADA, keys.LINKED_IDENTITY: "ada"}
    second = [
        of_job(Kind.SESSION_STARTING, 3000, {keys.JOB_ID: JOB}, "second"),
        of_job(Kind.SESSION_LINKED, 3010, ada, "second@3010"),
        *(of_job(Kind.SESSION_AUDIO_PUBLISHED, 3100, occurrence="its voice") for _ in range(voices - 1)),
        of_job(Kind.SESSION_CLOSED, 59_110, occurrence="second"),
    ]
    found = lacked([*later, *second])
    assert [sentence for sentence, _ in found] == [
        f"two sessions of job {JOB} listened to ada at once for 56.1 s"
    ] * twice


def switched(*kinds_at: tuple[Kind, float]) -> list[Moment]:
    """A call in which ada and the agent talk for 59 s, with what was turned off and on so many ms after the start."""
    later = [moved(m, 55_000) if m.time > ms(4000) else m for m in healthy()]
    return [*later, *(of_job(kind, at, occurrence=str(at)) for kind, at in kinds_at)]


@pytest.mark.parametrize(
    ("kinds_at", "lack"),
    [
        (
            [(INPUT_OFF, 300)],
            f"{DEAF} 58",
        ),
        (
            [(INPUT_OFF, 30_000)],
            f"{DEAF} 29",
        ),
        (
            [(OUTPUT_OFF, 400)],
            f"{MUTE} 58",
        ),
        ([(INPUT_OFF, 300), (INPUT_ON, 9000)], ""),
        ([(INPUT_OFF, 300), (INPUT_ON, 9000), (INPUT_OFF, 12_000)], ""),
        ([(INPUT_OFF, 300), (INPUT_ON, 9000), (OUTPUT_OFF, 12_000)], MUTE),
        ([(INPUT_OFF, 54_000)], ""),
        ([(INPUT_OFF, 70_000)], ""),
    ],
    ids=[
        "always",
        "at the end",
        "no voice",
        "in between",
        "push-to-talk",
        "the other",
        "for a goodbye",
        "after the call",
    ],
)
def test_who_turned_the_audio_off_to_the_end_may_not_hear_or_be_heard(
    kinds_at: list[tuple[Kind, float]], lack: str
) -> None:
    found = lacked(switched(*kinds_at))
    assert [(sentence.startswith(lack), certain) for sentence, certain in found] == ([(True, False)] if lack else [])
    answer = explained(switched(*kinds_at), now=ms(90_000))
    assert (names(answer), answer.well) == ([], None if lack else True)


def test_a_text_only_session_that_turns_its_audio_off_is_text_only() -> None:
    assert lacked(without(switched((INPUT_OFF, 300), (OUTPUT_OFF, 300)), VOICE, MICROPHONE, *AUDIO)) == []


def test_an_agent_that_only_reads_and_writes_lacks_no_audio() -> None:
    assert lacked(without(healthy(), VOICE, MICROPHONE, *AUDIO)) == []


NO_MODELS: dict[str, Fact] = {keys.LISTENS_BY: "nothing", keys.SPEAKS_BY: "nothing"}


def test_a_session_that_can_neither_listen_nor_speak_reads_and_writes() -> None:
    written = of_job(Kind.AGENT_SPEAKING, 900, {keys.SPOKE_FOR: 0.03}, "speech")
    call = with_facts([*without(healthy(), VOICE, MICROPHONE, *AUDIO), written], Kind.SESSION_STARTED, JOB, NO_MODELS)
    assert lacked(call) == lacked(without(call, Kind.SESSION_CLOSED, Kind.JOB_ENDED)) == []
    assert lacked(with_facts(call, Kind.SESSION_STARTED, JOB, {keys.SPEAKS_BY: "tts"})) != []
    handed_over = of_job(Kind.SESSION_AGENT_CHANGED, 950, occurrence="next")
    assert lacked([*call, handed_over]) != []


def test_whoever_speaks_to_a_session_that_does_not_listen_is_not_heard() -> None:
    call = with_facts(without(healthy(), *AUDIO), Kind.SESSION_STARTED, JOB, NO_MODELS)
    ((sentence, certain),) = lacked(call)
    assert sentence.endswith("its session has no STT and no realtime model, or no audio input")
    assert not certain


def test_an_agent_is_there_for_a_caller_that_stays() -> None:
    alone = without(healthy(), AGENT, JOB, VOICE)
    assert [certain for _, certain in lacked(alone)] == [True]
    assert lacked(alone)[0][0] == "ada had no agent for 4.0 s"


def test_one_who_left_at_once_was_not_kept_waiting() -> None:
    at_once = [moved(m, -3900) if m.subject == ADA and m.kind is Kind.PARTICIPANT_LEFT else m for m in healthy()]
    assert [(sentence.endswith("before an agent was there"), certain) for sentence, certain in lacked(at_once)] == [
        (True, False)
    ]
    assert explained(at_once).well is not True


@pytest.mark.parametrize("witness", ["agent", "observer"])
def test_a_failed_job_is_never_well(witness: str) -> None:
    failed = [
        replace(m, witness=witness) if m.kind is Kind.JOB_ENDED else m
        for m in with_facts(healthy(), Kind.JOB_ENDED, JOB, {keys.JOB_STATUS: "JS_FAILED"})
    ]
    if witness == "observer":
        # The server's own word for the job of a room that was closed.
        assert lacked(failed) == []
    else:
        assert lacked(failed) == [(f"job {JOB} ended JS_FAILED, after its call", True)]


def test_somebody_whom_nothing_listens_to_is_not_well() -> None:
    last = 20_000
    ends = {Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED}
    stays = [moved(m, last) if m.kind in ends else m for m in healthy()]
    assert [sentence for sentence, _ in lacked(stays)] == [
        "for 19.9 s no session listened to ada or anybody else: the agent's session had closed"
    ]
    music = [moved(m, 5000) if m.subject == VOICE else m for m in stays]
    assert lacked(music) == []


@pytest.mark.parametrize(
    ("who", "name", "key", "what"),
    [(ADA, "ada", keys.CAN_PUBLISH, "publish"), (AGENT, "agent-AJ_i9CF", keys.CAN_SUBSCRIBE, "subscribe")],
)
def test_a_permission_that_was_taken_away_is_not_well(who: str, name: str, key: str, what: str) -> None:
    granted = with_facts(healthy(), Kind.PARTICIPANT_JOINING, who, {key: True})
    assert lacked(with_facts(granted, Kind.PARTICIPANT_LEFT, who, {key: True})) == []
    taken = with_facts(granted, Kind.PARTICIPANT_LEFT, who, {key: False})
    ((sentence, certain),) = lacked(taken)
    assert (sentence.startswith(f"{name} lost the permission to {what}"), certain) == (True, False)
    given = with_facts(
        with_facts(healthy(), Kind.PARTICIPANT_JOINING, who, {key: False}), Kind.PARTICIPANT_LEFT, who, {key: True}
    )
    assert lacked(given) == []


def test_a_caller_whom_the_first_session_came_to_late_is_not_well() -> None:
    since = {m.kind for m in heard()} | {Kind.SESSION_STARTING, Kind.SESSION_STARTED, Kind.JOB_ENTRYPOINT_RETURNED}
    ends = {Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED, Kind.SESSION_CLOSED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED}
    late = [
        moved(m, 12_000) if m.kind in since | ends | {Kind.JOB_ENDED} or m.subject == VOICE else m for m in healthy()
    ]
    assert [sentence.startswith("for 12.0 s no session listened to ada") for sentence, _ in lacked(late)] == [True]


def live(until: float) -> list[Moment]:
    """The healthy call as far as it has come, ms."""
    return [m for m in healthy() if m.time <= ms(until)]


@pytest.mark.parametrize(
    ("until", "now", "summary"),
    [
        (370, 1000, "It is too early to say: ada became ACTIVE 0.9 s ago."),
        (370, 8000, "Nothing wrong has been recorded so far, but no audio track of agent-AJ_i9CF was recorded"),
        (500, 8000, "All is well so far."),
        (20, 500, "It is too early to say: an agent was requested 0.5 s ago."),
    ],
)
def test_while_a_call_begins_nothing_is_missed_yet(until: float, now: float, summary: str) -> None:
    assert explained(live(until), ms(now)).summary.startswith(summary)


def test_whom_nobody_has_seen_become_active_may_have_just_joined() -> None:
    joined = without(live(80), Kind.DISPATCH_CREATED)
    assert explained(joined, ms(400)).summary == "It is too early to say: the room was created 0.4 s ago."
    agent = live(80) + [m for m in healthy() if m.subject == AGENT and m.time < ms(400)]
    assert explained(agent, ms(1000)).summary.startswith("It is too early to say: ada joined 1.0 s ago")
    assert explained(agent, ms(9000)).summary.startswith("No caller became ACTIVE")


def test_a_supervisor_whom_nobody_sees_needs_nobody_who_listens() -> None:
    about: dict[str, Fact] = {
        keys.PARTICIPANT_IDENTITY: "supervisor",
        keys.PARTICIPANT_KIND: "STANDARD",
        keys.HIDDEN: True,
    }
    hidden = [
        replace(m, subject="PA_sup", facts=facts({**dict(m.facts), **about})) for m in healthy() if m.subject == ADA
    ]
    early = [moved(m, -20_000) if m.kind is not Kind.PARTICIPANT_LEFT else m for m in hidden]
    assert lacked([*healthy(), *early]) == []
    only = [with_facts([m], m.kind, ADA, {keys.HIDDEN: True})[0] if m.subject == ADA else m for m in healthy()]
    unheard = without(only, *AUDIO)
    assert lacked(unheard), "a caller who is hidden by mistake, alone with the agent, needs it"


@pytest.mark.parametrize("reason", ["USER_UNAVAILABLE", "USER_REJECTED", "SIP_TRUNK_FAILURE"])
def test_a_telephone_that_nobody_answers_is_no_silent_agent(reason: str) -> None:
    quiet = without(healthy(), Kind.TRACK_PUBLISHED, Kind.SESSION_AUDIO_RECEIVED)
    called = [
        replace(m, facts=facts({**dict(m.facts), keys.PARTICIPANT_KIND: "SIP"})) if m.subject == ADA else m
        for m in quiet
    ]
    explanation = explain(timeline(with_facts(called, Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: reason})))
    assert (explanation.findings, explanation.well) == ((), None)
    assert explanation.summary == f"The telephone call to ada was not answered ({reason})."


def test_the_time_of_agents_who_were_there_at_once_counts_once() -> None:
    def agent(number: int, since: float, until: float) -> list[Moment]:
        about: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: f"agent-{number}", keys.PARTICIPANT_KIND: "AGENT"}
        sid = f"PA_agent{number:07}"
        return [
            moment(Kind.PARTICIPANT_ACTIVE, sid, ms(since), told=about),
            moment(Kind.PARTICIPANT_LEFT, sid, ms(until), told=about),
        ]

    made = timeline([*without(healthy(), AGENT), *agent(1, 1000, 2000), *agent(2, 1500, 3000), *agent(3, 1600, 1700)])
    ada = next(one for one in made.participants if one.sid == ADA)
    stay = CallerStay(Call(made), ada, ms(200), ms(4000))
    assert stay.together == ms(3000) - ms(1000)
    lack = no_voice(stay)
    assert lack
    assert "agent-1, agent-2 and agent-3" in lack.sentence


@pytest.mark.parametrize(("status", "well"), [("ringing", None), ("dialing", None), ("active", True), ("hangup", True)])
def test_what_is_said_to_a_telephone_that_rings_nobody_hears(status: str, well: bool | None) -> None:
    about: dict[str, Fact] = {keys.PARTICIPANT_KIND: "SIP", keys.PARTICIPANT_ATTRIBUTE + "sip.callStatus": status}
    called = [replace(m, facts=facts({**dict(m.facts), **about})) if m.subject == ADA else m for m in healthy()]
    answer = explained(called)
    assert answer.well is well
    assert ("was last reported as" in answer.summary) is (well is None)


STOPPED, BACK = Kind.AGENT_MEDIA_STOPPED, Kind.AGENT_MEDIA_BACK


def still(since: float, until: float | None = None, kind: Kind = BACK) -> list[Moment]:
    """A long call, in which nothing of the server reached the agent between these times, ms."""
    ended = [] if until is None else [of_job(kind, until, occurrence="back")]
    lasting = [moved(m, 30_000) if m.time > ms(2000) else m for m in healthy()]
    return [*lasting, of_job(STOPPED, since, occurrence="stopped"), *ended]


@pytest.mark.parametrize(
    ("moments", "lasted"),
    [
        (still(10_000, 17_900), "for at least 7.9 s"),
        (still(10_000, 24_000, Kind.AGENT_RECONNECTED), "for at least 14.0 s"),
        (still(26_000), "in the last 8.1 s"),
    ],
    ids=["and then it came", "and then it reconnected", "until the caller left"],
)
def test_when_nothing_of_the_server_reaches_the_agent_nobody_hears_the_other(
    moments: list[Moment], lasted: str
) -> None:
    lack = f"{lasted} nothing of the server reached the agent, also no sound of ada"
    assert lacked(moments) == [(lack, False)]
    answer = explained(moments)
    assert answer.well is None
    assert "did it stand still" in answer.advice


@pytest.mark.parametrize(
    "moments", [still(10_000, 14_000), still(30_500), still(36_000)], ids=["briefly", "at the end", "after the call"]
)
def test_what_nobody_notices_is_no_fault(moments: list[Moment]) -> None:
    assert lacked(moments) == []


def polled(agent: tuple[float, float], caller: tuple[float, float], witness: str = "observer") -> list[Moment]:
    """A long call of which the API showed between which times, ms, the agent and ada left."""
    ends = (Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED, Kind.SESSION_UNLINKED, *OVER)
    kept = [moved(m, 30_000) if m.time > ms(2000) else m for m in healthy() if m.kind not in ends]
    known = facts({keys.HIDDEN: False})
    left = ((AGENT, agent), (ADA, caller))
    made = [moment(Kind.PARTICIPANT_LEFT, who, ms(a), ms(b), clock="receiver", witness=witness) for who, (a, b) in left]
    over = moment(Kind.ROOM_FINISHED, ROOM, ms(40_000), ms(40_500), clock="receiver", witness="observer")
    return [*kept, *(replace(m, facts=known) for m in made), over]


OVER = (Kind.SESSION_CLOSED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED)


def test_who_was_seen_without_the_agent_may_have_been_alone_until_they_were_not_seen_any_more() -> None:
    lack = "ada was in the room when the agent had left, and may have stayed for 14.0 s more"
    assert (lack, False) in lacked(polled((20_000, 24_000), (24_000, 38_000)))
    assert "Set up webhooks" in explained(polled((20_000, 24_000), (24_000, 38_000))).advice


@pytest.mark.parametrize(
    "moments",
    [
        polled((20_000, 34_000), (20_000, 34_000)),
        polled((20_000, 24_000), (24_000, 29_000)),
        polled((34_000, 38_000), (20_000, 34_000)),
        polled((23_900, 24_000), (24_000, 38_000), "webhook"),
    ],
    ids=["between the same polls", "the next poll was soon", "the caller first", "webhooks tell"],
)
def test_who_was_not_seen_without_the_agent_was_not_alone_for_all_that_is_known(moments: list[Moment]) -> None:
    assert not [sentence for sentence, _ in lacked(moments) if "may have stayed" in sentence]
