"""What caller and agent never said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import JOB, MICROPHONE, VOICE, moment, ms
from tests.why.cases import names, of_job, registered, timeline, with_facts, without
from tests.why.silent.calls import ask, long_call, speaks
from tests.why.silent.conversation import bob_speaks
from tracer import keys
from tracer.kinds import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Fact, Moment

STT: dict[str, Fact] = {keys.LISTENS_BY: "stt"}
TTS: dict[str, Fact] = {keys.SPEAKS_BY: "tts"}
NEITHER = "in 33.7 s no word was recorded, neither of ada nor of the agent"
HERS = "of the agent's pauses no word of ada was recorded"
UNANSWERED = "the agent said nothing in 30.1 s after a turn of ada"
UNASKED = ", and no request to a model was recorded"
OLDER = (Kind.SESSION_WAITING_FOR_AUDIO, Kind.SESSION_TRACK_SUBSCRIBED, Kind.SESSION_AUDIO_RECEIVED)
NO_WORD = "in 33.7 s no word of the agent was recorded, and no request to a model."
MUTED = "their microphone was muted"


def call(*more: Moment, models: dict[str, Fact] | None = None, of: list[Moment] | None = None) -> list[Moment]:
    """ada is there until 34.1 s, with an agent of these models, an STT and a TTS by default."""
    known: dict[str, Fact] = {**STT, **TTS} if models is None else models
    return [*with_facts(of or long_call(), Kind.SESSION_STARTING, JOB, known), *more]


def spoke(at: float, seconds: float, kind: Kind = Kind.AGENT_SPEAKING) -> list[Moment]:
    """The agent spoke for so long, or the caller did."""
    return [of_job(kind, at, {keys.SPOKE_FOR: seconds}, f"spoke-{at}")]


def turn(at: float) -> list[Moment]:
    return [of_job(Kind.SESSION_TURN_TRANSCRIBED, at, {keys.TURN_LASTED: 1.0}, f"turn-{at}")]


def muted(kind: Kind, at: float) -> Moment:
    return moment(kind, MICROPHONE, ms(at), witness="agent", occurrence=str(at))


def silent_track(of: list[Moment]) -> list[Moment]:
    """The caller publishes a track that is muted."""
    return with_facts(of, Kind.TRACK_PUBLISHED, MICROPHONE, {keys.TRACK_MUTED: True})


@pytest.mark.parametrize(
    ("moments", "lack"),
    [
        (call(), NEITHER),
        (call(models=STT), NEITHER),
        (call(models={keys.SPEAKS_BY: "realtime", keys.LISTENS_BY: "realtime"}), NEITHER),
        (call(*spoke(1000, 2.0)), f"in 31.1 s {HERS}"),
        (call(*spoke(1000, 2.0), *spoke(10_000, 3.0)), f"in 28.1 s {HERS}"),
        (call(*spoke(1000, 2.0), of=silent_track(long_call())), MUTED),
        (call(*spoke(2000, 2.0), muted(Kind.TRACK_MUTED, 900)), MUTED),
        (call(*spoke(2000, 2.0), muted(Kind.TRACK_MUTED, 3000)), f"{HERS}."),
        (call(*spoke(2000, 2.0), muted(Kind.TRACK_UNMUTED, 9000), of=silent_track(long_call())), f"{HERS}."),
        (call(*turn(4000)), f"{UNANSWERED}{UNASKED}."),
        (call(*spoke(1000, 2.0), *turn(4000), *turn(9000), *turn(15_000)), f"{UNANSWERED} and 2 more{UNASKED}."),
        (call(*spoke(28_000, 0.3, Kind.SESSION_CALLER_SPOKE)), NO_WORD),
    ],
    ids=[
        "nobody",
        "nothing heard by an agent that only listens",
        "realtime",
        "greeted",
        "greeted twice",
        "published muted",
        "muted before",
        "muted later",
        "unmuted later",
        "not answered",
        "no longer answered",
        "an agent that says nothing to one who asks whether it is there",
    ],
)
def test_a_call_in_which_somebody_said_nothing_is_not_known_to_be_well(moments: list[Moment], lack: str) -> None:
    answer = explain(timeline(moments, registered()))
    assert (names(answer), answer.well) == ([], None)
    assert lack in answer.summary


@pytest.mark.parametrize(
    "moments",
    [
        call(models={}),
        call(models={keys.LISTENS_BY: "nothing", keys.SPEAKS_BY: "nothing"}),
        call(
            *spoke(1000, 2.0), *spoke(5000, 1.0, Kind.SESSION_CALLER_SPOKE), *turn(7000), *ask(7000, 1), *speaks(8000)
        ),
        call(*spoke(1000, 32.0)),
        call(*spoke(1000, 2.0), models={keys.LISTENS_BY: "nothing", keys.SPEAKS_BY: "tts"}),
        call(*ask(500, 200), *spoke(1000, 27.0)),
        call(*turn(4000), models={**STT, keys.SPEAKS_BY: "nothing"}),
        call(*turn(30_000)),
        call(*spoke(28_000, 0.3, Kind.SESSION_CALLER_SPOKE), models={**STT, keys.SPEAKS_BY: "nothing"}),
        call(*bob_speaks(left=34_150)),
    ],
    ids=[
        "models not reported",
        "no models",
        "a conversation",
        "a long message",
        "an agent that does not listen",
        "hung up after the message",
        "a transcriber",
        "hung up after a word",
        "a transcriber that hears one word",
        "two callers",
    ],
)
def test_what_is_no_conversation_or_is_one_lacks_no_words(moments: list[Moment]) -> None:
    answer = explain(timeline(moments, registered()))
    assert "word" not in answer.summary
    assert "said nothing" not in answer.summary


def test_while_the_call_goes_on_that_nobody_has_spoken_is_said_too() -> None:
    there = [m for m in call() if m.time < ms(4000)]
    assert explain(timeline(there, registered(), now=ms(8000))).well is True
    answer = explain(timeline(there, registered(), now=ms(15_000)))
    assert answer.summary.startswith("Nothing wrong has been recorded so far, but in 14.6 s no word was recorded")


def test_a_voice_that_nobody_subscribed_to_is_said_while_the_call_goes_on() -> None:
    later = without(call(*turn(4000)), Kind.SESSION_AUDIO_PUBLISHED, Kind.SESSION_CLOSED)
    there = [m for m in later if m.time < ms(5000)]
    lack = "nothing shows that ada was subscribed to the agent's audio track"
    assert lack not in explain(timeline(there, registered(), now=ms(9000))).summary
    assert lack in explain(timeline(there, registered(), now=ms(15_000))).summary
    assert VOICE in {m.subject for m in there}


def track(kind: Kind, at: float, sounded: float | None = None) -> Moment:
    """What the agent's statistics show of the caller's microphone."""
    known: dict[str, Fact] = {} if sounded is None else {keys.SOUNDED_FOR: sounded}
    return moment(kind, MICROPHONE, ms(at), witness="agent", occurrence=str(at), told=known)


SILENT, SOUNDS = track(Kind.TRACK_SILENT, 1200), track(Kind.TRACK_SOUNDS, 20_000)
SHE_SPOKE = [*spoke(4000, 1.0, Kind.SESSION_CALLER_SPOKE), *turn(5500), *ask(5500, 100), *spoke(6000, 2.0)]
NONE_OF_HERS = "no word of ada was recorded"
LOUD = "for 12.0 s their microphone was as loud as a voice"
ONLY_SILENCE = "only silence came from their microphone"


def loud(at: float, seconds: float) -> Moment:
    return track(Kind.TRACK_UNNOTICED, at, seconds)


@pytest.mark.parametrize(
    ("moments", "lack"),
    [
        (call(SILENT), f"{NEITHER}: {ONLY_SILENCE}"),
        (call(SILENT, *spoke(1000, 2.0)), f"{HERS}: {ONLY_SILENCE}"),
        (call(SILENT, SOUNDS, *spoke(1000, 2.0)), "no word of ada was recorded."),
        (
            call(*SHE_SPOKE, track(Kind.TRACK_SILENT, 8000)),
            f"in the last 28.6 s no word of ada was recorded: {ONLY_SILENCE}",
        ),
        (
            call(*spoke(1000, 2.0), loud(9000, 6.0), loud(20_000, 12.0)),
            "for 12.0 s their microphone was as loud as a voice",
        ),
        (call(*SHE_SPOKE, loud(20_000, 12.0)), LOUD),
        (call(*SHE_SPOKE, loud(20_000, 12.0), *turn(34_000)), LOUD),
        (call(*SHE_SPOKE, loud(20_000, 12.0), models={}), LOUD),
    ],
    ids=[
        "neither",
        "greeted",
        "sound in between",
        "lost later",
        "not noticed",
        "no longer noticed",
        "until the session closed",
        "models not reported",
    ],
)
def test_what_came_from_the_microphone_instead_of_words_is_said(moments: list[Moment], lack: str) -> None:
    answer = explain(timeline(moments, registered()))
    assert (names(answer), answer.well) == ([], None)
    assert lack in answer.summary


def test_silence_of_an_encrypted_microphone_may_be_another_key() -> None:
    known: dict[str, Fact] = {keys.TRACK_ENCRYPTION: "GCM"}
    both = [m for m in call(SILENT, *spoke(1000, 2.0)) if m.kind is Kind.TRACK_PUBLISHED]
    encrypted = call(SILENT, *spoke(1000, 2.0))
    for one in both:
        encrypted = with_facts(encrypted, Kind.TRACK_PUBLISHED, one.subject, known)
    summary = explain(timeline(encrypted, registered())).summary
    assert f"{ONLY_SILENCE}, which is encrypted (with another key than the agent's?)" in summary


REALTIME: dict[str, Fact] = {keys.LISTENS_BY: "realtime", keys.SPEAKS_BY: "realtime"}
ASKED = Kind.SESSION_CALLER_SPOKE


@pytest.mark.parametrize(
    ("moments", "said"),
    [
        (spoke(12_000, 2.0, ASKED) + spoke(20_000, 1.5, ASKED), "in 20.1 s after ada spoke to it, and again"),
        (spoke(12_000, 2.5, ASKED), "in 19.6 s after ada spoke to it"),
        (spoke(2500, 4.0, ASKED), "in 27.6 s after ada spoke to it"),
        (spoke(12_000, 1.5, ASKED), ""),
        (spoke(12_000, 2.5, ASKED) + spoke(15_000, 1.0), ""),
        (spoke(25_000, 2.5, ASKED), ""),
        ([m for at in range(10_000, 34_000, 3000) for m in spoke(at, 2.0, ASKED)], ""),
        (spoke(1200, 2.5, ASKED), ""),
    ],
    ids=[
        "asked twice",
        "asked once",
        "interrupted it",
        "a cough",
        "answered",
        "hung up soon",
        "goes on speaking",
        "while the agent spoke",
    ],
)
def test_a_realtime_model_that_does_not_answer(moments: list[Moment], said: str) -> None:
    answer = explain(timeline(call(*spoke(1000, 2.0), *moments, models=REALTIME), registered()))
    assert said in answer.summary
    assert (answer.well is True) is not bool(said), answer.summary


OFF = of_job(Kind.SESSION_AUDIO_INPUT_OFF, 15_000, occurrence="off")
ON = of_job(Kind.SESSION_AUDIO_INPUT_ON, 22_000, occurrence="on")


@pytest.mark.parametrize(
    "moments",
    [
        call(*SHE_SPOKE),
        call(*SHE_SPOKE, track(Kind.TRACK_SILENT, 8000), *spoke(8100, 25.0)),
        call(*SHE_SPOKE, track(Kind.TRACK_SILENT, 8000), track(Kind.TRACK_SOUNDS, 30_000)),
        call(*SHE_SPOKE, muted(Kind.TRACK_MUTED, 6000)),
        call(*SHE_SPOKE, loud(20_000, 12.0), *spoke(30_000, 1.0, Kind.SESSION_CALLER_SPOKE)),
        call(*SHE_SPOKE, OFF, loud(20_000, 12.0), ON),
    ],
    ids=[
        "a long silence",
        "they listen for long",
        "sound again",
        "muted after a word",
        "noticed again",
        "push-to-talk",
    ],
)
def test_who_was_heard_and_says_nothing_more_is_well(moments: list[Moment]) -> None:
    answer = explain(timeline(moments, registered()))
    assert (names(answer), answer.well) == ([], True), answer.summary


def test_an_agent_that_never_spoke_is_noticed_sooner() -> None:
    never = explain(timeline(call(*turn(28_000)), registered())).summary
    assert "said nothing in 6.1 s after a turn of ada" in never
    before = explain(timeline(call(*spoke(1000, 26.0), *turn(28_000)), registered())).summary
    assert "after a turn of ada" not in before


def noise(*lasted: float) -> list[Moment]:
    """Speech of the caller's that its STT had begin at one time again and again, with so many seconds each."""
    told: list[dict[str, Fact]] = [{keys.SPOKE_FOR: seconds} for seconds in lasted]
    return [of_job(Kind.SESSION_CALLER_SPOKE, 3000, one, f"noise-{number}") for number, one in enumerate(told)]


@pytest.mark.parametrize(
    ("lasted", "said"), [((2.0, 9.0, 16.0), "spoke for 14.0 s, and nothing of it was transcribed"), ((2.0, 6.0), "")]
)
def test_what_goes_on_for_long_after_the_agent_spoke_counts_once(lasted: tuple[float, ...], said: str) -> None:
    """The agent speaks from 1 s to 5 s: what began then counts from its end on, where that is long."""
    answer = explain(timeline(call(*spoke(1000, 4.0), *noise(*lasted)), registered()))
    assert said in answer.summary
    assert ("transcribed" in answer.summary) is bool(said)


def test_of_an_older_agent_an_answer_that_nobody_heard_is_known_by_its_track() -> None:
    """Before livekit-agents 1.8.2 a session reports neither its models nor that it has published its audio."""
    known = without(call(*turn(4000), *ask(4000, 100), models={}), Kind.SESSION_AUDIO_PUBLISHED, *OLDER)
    lack = "a model answered, and in 30.0 s no word of the agent was recorded"
    assert lack in explain(timeline(known, registered())).summary
    assert lack not in explain(timeline([*known, *spoke(4200, 2.0)], registered())).summary


def test_replies_that_were_over_at_once_had_no_sound() -> None:
    """As of a realtime model that answers in text, in a session without a TTS."""
    written = [m for at in (8000, 15_000) for m in spoke(at, 0.01)]
    answer = explain(timeline(call(*spoke(1000, 2.0), *turn(7000), *written), registered()))
    assert "the agent's last 2 replies to ada were over at once" in answer.summary
    heard = call(*spoke(1000, 2.0), *turn(7000), *written, *turn(20_000), *spoke(21_000, 3.0))
    assert explain(timeline(heard, registered())).well is True
