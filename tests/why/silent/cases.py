"""A call for each cause of who does not hear whom."""

from __future__ import annotations

from tests.moments import ADA, AGENT, JOB
from tests.why.cases import Case, error, of_job, with_facts, without
from tests.why.silent.conversation import (
    BOBS,
    MICROPHONE,
    VOICE,
    bob_speaks,
    conversation,
    kept_session,
    permitted,
    said,
    unheard,
    wait_in_vain,
)
from tracer import keys
from tracer.moment import Kind

__all__ = ["WHO_HEARS_WHOM"]

ADA_ACTIVE, ADA_LEFT = (Kind.PARTICIPANT_ACTIVE, ADA), (Kind.PARTICIPANT_LEFT, ADA)
AGENT_ACTIVE = (Kind.PARTICIPANT_ACTIVE, AGENT)
CONNECTED = (Kind.AGENT_CONNECTED, JOB)
WAITS = (Kind.SESSION_WAITING_FOR_AUDIO, JOB)
SPEAKS, SHUTS_DOWN = (Kind.AGENT_SPEAKING, JOB), (Kind.JOB_SHUTDOWN, JOB)
TRACK, ITS_VOICE = (Kind.TRACK_PUBLISHED, MICROPHONE), (Kind.TRACK_PUBLISHED, VOICE)
NONE = {keys.AUTO_SUBSCRIBE: "subscribe_none"}

WHO_HEARS_WHOM = (
    Case(
        "the caller may not publish",
        "missing-permission",
        permitted(unheard(MICROPHONE), ADA, keys.CAN_PUBLISH),
        f"ada may not publish a track (canPublish), and was with the agent of job {JOB} for 3.7 s, which waited",
        (ADA_ACTIVE, WAITS, ADA_LEFT),
    ),
    Case(
        "the caller may publish pictures only",
        "missing-permission",
        permitted(unheard(MICROPHONE), ADA, keys.CAN_PUBLISH_SOURCES, "CAMERA,SCREEN_SHARE"),
        "ada may not publish a microphone (canPublishSources), and was",
        (ADA_ACTIVE, WAITS, ADA_LEFT),
    ),
    Case(
        "the caller may not subscribe",
        "missing-permission",
        permitted([*conversation(), *said(1)], ADA, keys.CAN_SUBSCRIBE),
        f"ada may not subscribe to a track (canSubscribe), and could not hear agent-{JOB} for 3.7 s",
        (ADA_ACTIVE, ITS_VOICE, ADA_LEFT),
    ),
    Case(
        "the agent may not publish",
        "missing-permission",
        permitted(without(conversation(), VOICE), AGENT, keys.CAN_PUBLISH),
        f"agent-{JOB} may not publish a track (canPublish): nobody could hear the agent",
        (AGENT_ACTIVE, (Kind.SESSION_AUDIO_PUBLISHED, JOB)),
    ),
    Case(
        "the agent may not subscribe",
        "missing-permission",
        permitted(unheard(), AGENT, keys.CAN_SUBSCRIBE),
        f"agent-{JOB} may not subscribe to a track (canSubscribe): the agent could not hear ada",
        (TRACK, AGENT_ACTIVE, WAITS),
    ),
    Case(
        "speaks to nobody",
        "agent-hidden",
        permitted([*conversation(), *said(1)], AGENT, keys.HIDDEN, value=True),
        f"agent-{JOB} was hidden and could not be heard: ada was with the agent for 3.7 s, and saw nobody.",
        (ADA_ACTIVE, AGENT_ACTIVE, ITS_VOICE, SPEAKS),
    ),
    Case(
        "may listen only",
        "agent-hidden",
        permitted(without(conversation(), "agent", VOICE), AGENT, keys.HIDDEN, value=True),
        "was hidden and published no track",
        (ADA_ACTIVE, AGENT_ACTIVE),
        certain=False,
    ),
    Case(
        "nobody is told of the caller",
        "caller-hidden",
        permitted(wait_in_vain(20_000, named=False), ADA, keys.HIDDEN, value=True),
        f"ada was hidden, and published a microphone: the agent of job {JOB} waited 26.1 s for a participant, while ada"
        " was there for 23.7 s.",
        (ADA_ACTIVE, (Kind.AGENT_WAITING_FOR_PARTICIPANT, JOB), (Kind.AGENT_WAIT_ENDED, JOB)),
    ),
    Case(
        "subscribes to nothing",
        "caller-not-heard",
        with_facts(unheard(), Kind.AGENT_CONNECTED, JOB, NONE),
        f"The session of job {JOB} waited for audio of ada, who had a track for 3.7 s, and received none: the agent is"
        " subscribed to no audio (auto_subscribe: subscribe_none).",
        (TRACK, CONNECTED, WAITS),
    ),
    Case(
        "a track without a source",
        "caller-not-heard",
        with_facts(unheard(), Kind.TRACK_PUBLISHED, MICROPHONE, {keys.TRACK_SOURCE: "UNKNOWN"}),
        "the track's source is UNKNOWN, and a session takes only a microphone.",
        (TRACK, WAITS),
    ),
    Case(
        "publishing times out",
        "agent-has-no-voice",
        [
            *without(conversation(), VOICE, Kind.SESSION_AUDIO_PUBLISHED),
            of_job(Kind.SESSION_AUDIO_FAILED, 400, error("PublishTrackError", "track publication timed out")),
        ],
        f"The agent of job {JOB} could not publish its audio (PublishTrackError: track publication timed out), and was"
        " in the room without a voice for 3.7 s.",
        ((Kind.SESSION_STARTING, JOB), (Kind.SESSION_AUDIO_FAILED, JOB), SHUTS_DOWN),
    ),
    Case(
        "an identity that nobody has",
        "waited-for-another",
        wait_in_vain(20_000),
        f"The agent of job {JOB} waited 26.1 s for one identity, while ada was there for 23.7 s.",
        (ADA_ACTIVE, (Kind.AGENT_WAITING_FOR_PARTICIPANT, JOB), (Kind.AGENT_WAIT_ENDED, JOB)),
    ),
    Case(
        "another kind of participant",
        "waited-for-another",
        wait_in_vain(20_000, named=False),
        "for a participant of another kind, while ada was there",
        (ADA_ACTIVE, (Kind.AGENT_WAITING_FOR_PARTICIPANT, JOB), (Kind.AGENT_WAIT_ENDED, JOB)),
        certain=False,
    ),
    Case(
        "the second caller stays",
        "linked-to-nobody",
        [*kept_session(20_000), *bob_speaks(left=20_000)],
        "was linked to ada, who left, and to nobody after: bob had a track and was not heard for 15.9 s.",
        ((Kind.TRACK_PUBLISHED, BOBS), (Kind.SESSION_LINKED, JOB), ADA_LEFT, (Kind.SESSION_UNLINKED, JOB)),
    ),
)
