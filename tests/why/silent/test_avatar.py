"""An agent that speaks through an avatar, which does not come, or gives no sound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.moments import AGENT, JOB, MICROPHONE, VOICE, ms
from tests.why.cases import found, of_job, timeline, with_facts, without
from tests.why.silent.calls import ask, long_call
from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.why import explain

AVATAR, ITS_VOICE = "PA_avatar", "TR_AMavatar"
SPEAKS_FOR = {keys.PARTICIPANT_ATTRIBUTE + "lk.publish_on_behalf": f"agent-{JOB}"}
BY_NAME = {keys.PARTICIPANT_IDENTITY: "face"}


def without_avatar(speaks_by: str = "tts") -> list[Moment]:
    """A session that speaks through an avatar, which does not come: it asks its model, which answers."""
    made = with_facts(long_call(), Kind.SESSION_STARTING, JOB, {keys.SPEAKS_BY: speaks_by})
    return [*without(made, VOICE, Kind.SESSION_AUDIO_PUBLISHED), *ask(1000, 100), *ask(9000, 100)]


def with_avatar(*more: Moment) -> list[Moment]:
    """The same with an avatar, which has a track."""
    told = {AGENT: (AVATAR, {**SPEAKS_FOR, **BY_NAME}), VOICE: (ITS_VOICE, {keys.PARTICIPANT_ID: AVATAR, **BY_NAME})}
    known = [(m, *told[m.subject]) for m in long_call() if m.subject in told]
    avatar = [replace(m, subject=sid, facts=facts({**dict(m.facts), **known})) for m, sid, known in known]
    return [*without_avatar(), *avatar, *more]


def spoke(at: float, seconds: float) -> Moment:
    """The agent spoke."""
    return of_job(Kind.AGENT_SPEAKING, at, {keys.SPOKE_FOR: seconds}, f"spoke-{at}")


def of_its_track(kind: Kind, at: float) -> Moment:
    """What the agent reports of the avatar's track."""
    one = of_job(kind, at, {keys.PARTICIPANT_ID: AVATAR}, f"{kind.value}-{at}")
    return replace(one, subject=ITS_VOICE)


def test_an_avatar_that_never_comes_leaves_its_agent_without_a_voice() -> None:
    (finding,) = explain(timeline(without_avatar())).findings
    assert (finding.cause.name, finding.certain) == ("agent-has-no-voice", False)
    assert "answered 2 times, its session has a voice, and in 33.0 s with ada no agent's" in finding.sentence
    assert "avatar.start()" in finding.advice
    assert found(with_avatar()) == []


@pytest.mark.parametrize(
    "moments",
    [
        without_avatar("nothing"),
        without(without_avatar(), MICROPHONE),
        [*without_avatar(), of_job(Kind.SESSION_AUDIO_OUTPUT_OFF, 900)],
        without(without_avatar(), Kind.MODEL_ANSWERED),
        without(without_avatar(), Kind.SESSION_LINKED, Kind.SESSION_WAITING_FOR_AUDIO, Kind.AGENT_PARTICIPANT_READY),
    ],
    ids=["no TTS", "the caller writes", "its output is off", "no answer", "linked to nobody"],
)
def test_an_agent_without_a_voice_may_need_none(moments: list[Moment]) -> None:
    assert "agent-has-no-voice" not in found(moments)


def test_an_avatar_that_gives_no_sound_is_named() -> None:
    silent = with_avatar(spoke(2000, 3.0), spoke(9000, 2.0), of_its_track(Kind.TRACK_SILENT, 1500))
    (finding,) = explain(timeline(silent)).findings
    assert (finding.cause.name, finding.certain) == ("agent-speaks-silence", False)
    assert finding.sentence.endswith("spoke 2 times to ada, and its avatar face gave nothing but silence.")
    assert "avatar's own service" in finding.advice


def test_without_identities_no_agent_is_its_own_avatar() -> None:
    own = replace(of_its_track(Kind.TRACK_SILENT, 500), subject=VOICE, facts=())
    hidden = [moment.redacted() for moment in [*long_call(), spoke(2000, 3.0), own]]
    assert "agent-speaks-silence" not in found(hidden)


@pytest.mark.parametrize(
    "more",
    [
        [of_its_track(Kind.TRACK_SILENT, 1500), of_its_track(Kind.TRACK_SOUNDS, 2500)],
        [of_its_track(Kind.TRACK_SILENT, 12_000)],
        [],
    ],
    ids=["sounds when the agent speaks", "silent after it spoke", "nothing is known of it"],
)
def test_an_avatar_is_silent_while_its_agent_is(more: list[Moment]) -> None:
    assert found(with_avatar(spoke(2000, 3.0), *more)) == []
    assert max(m.time for m in with_avatar()) > ms(12_000)
