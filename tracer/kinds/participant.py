"""Participants and their tracks."""

from __future__ import annotations

from tracer.kinds.info import KindInfo
from tracer.livekit_sources import Page, agents, server

__all__ = ["PARTICIPANT"]

PARTICIPANT = {
    "participant.joining": KindInfo(
        phrase="{who} JOINING",
        verb="was JOINING",
        meaning="The server created the participant's session.",
        cause="A client connects with a token.",
        following="JOINED, a few ms later.",
        reported={"webhook": "the server's own time in ms", "observer": "the server's own time in ms"},
        mistake="`joined_at` is this time: neither that of JOINED nor that of ACTIVE.",
        said=(server("pkg/rtc/participant.go"),),
    ),
    "participant.joined": KindInfo(
        phrase="{who} JOINED",
        verb="was JOINED",
        meaning="The server wrote the join response; media is not up yet.",
        cause="The server, once the participant's session exists.",
        following="ACTIVE, when the media path is up.",
        reported={"observer": "between two polls"},
        mistake="The webhook `participant_joined` is not this: it is sent when the participant is ACTIVE.",
        said=(server("pkg/rtc/participant_signal.go"),),
    ),
    "participant.active": KindInfo(
        phrase="{who} ACTIVE",
        verb="was ACTIVE",
        meaning="The participant's media path is up; the webhook `participant_joined` means this and not JOINED.",
        cause="The client's primary transport is connected.",
        following="The participant publishes tracks, and an agent can wait for it.",
        reported={"webhook": "within its second", "observer": "between two polls"},
        mistake=(
            "Who publishes no track is announced to the others up to 3 s later: an agent that waits for them waits as"
            " long."
        ),
        said=(
            server("pkg/telemetry/events.go"),
            server("pkg/rtc/room.go"),
        ),
    ),
    "participant.attributes_changed": KindInfo(
        phrase="{who} changes attributes",
        verb="changed attributes",
        meaning="A participant's attributes changed while it was in the room.",
        cause="The participant's client, SIP, or `UpdateParticipant`.",
        following="The agent reads the new values.",
        reported={"agent": "when it learns of it", "observer": "between two polls"},
        mistake=(
            "No webhook reports it; and instructions that were built of the old values do not change by themselves."
        ),
        said=(Page.ATTRIBUTES,),
    ),
    "participant.permissions_changed": KindInfo(
        phrase="{who} has other permissions",
        verb="was given other permissions",
        meaning="What a participant may do changed while it was in the room.",
        cause="`UpdateParticipant`.",
        following="Tracks that it may not publish are unpublished, those it may not subscribe to unsubscribed.",
        reported={"agent": "when it learns of it", "observer": "between two polls"},
        mistake="`UpdateParticipant` replaces all permissions at once: one that it does not name is taken away.",
        said=(Page.PARTICIPANTS,),
    ),
    "track.published": KindInfo(
        phrase="{who} publishes",
        verb="was published",
        meaning="A participant's track can be heard or seen.",
        cause="The participant's client.",
        following="Others subscribe to it.",
        reported={"webhook": "within its second"},
        mistake="A caller who publishes nothing is announced to the agent up to 3 s late.",
        said=(
            server("pkg/telemetry/events.go"),
            server("pkg/rtc/room.go"),
            Page.TRACKS,
        ),
    ),
    "track.muted": KindInfo(
        phrase="{who} mutes",
        verb="was muted",
        meaning="A participant's track was muted: nobody hears or sees it, and it stays published.",
        cause="The participant's client, or `MutePublishedTrack`.",
        following="The track is unmuted.",
        reported={"agent": "when it learns of it", "observer": "between two polls"},
        mistake="No webhook reports it. The track stays published and subscribed; only its sound stops.",
        said=(Page.PARTICIPANTS,),
    ),
    "track.unmuted": KindInfo(
        phrase="{who} unmutes",
        verb="was unmuted",
        meaning="A muted track can be heard or seen again.",
        cause="The participant's client.",
        following="The conversation goes on.",
        reported={"agent": "when it learns of it", "observer": "between two polls"},
        said=(Page.PARTICIPANTS,),
    ),
    "track.unsubscribed": KindInfo(
        phrase="agent unsubscribed from {who}",
        verb="lost an agent that was subscribed to it",
        meaning="An agent no longer receives an audio track that is still published.",
        cause="The agent's code (`set_subscribed(False)`), `UpdateSubscriptions`, or a permission.",
        following="It is subscribed again.",
        reported={"agent": "when it learns of it"},
        mistake=(
            "The track stays published: no webhook and no answer of the API shows that the agent does not hear it any"
            " more."
        ),
        said=(Page.TRACKS,),
    ),
    "track.subscribed": KindInfo(
        phrase="agent subscribed to {who} again",
        verb="was subscribed to by an agent again",
        meaning="An agent receives an audio track again that it had been unsubscribed from.",
        cause="The agent's code (`set_subscribed(True)`), `UpdateSubscriptions`, or a permission.",
        following="The agent hears the participant.",
        reported={"agent": "when it learns of it"},
        said=(Page.TRACKS,),
    ),
    "track.silent": KindInfo(
        phrase="silence from {who}",
        verb="carried nothing but silence",
        meaning="From then on an agent received nothing but silence of an audio track, not even the noise of a room.",
        cause="A microphone that is muted on its device, a wrong one, or audio that is lost on its way.",
        following="Sound comes.",
        reported={"agent": "when it has lasted for 9 s"},
        mistake=(
            "The track is published, subscribed to and not muted, and its frames arrive: nothing else tells it from one"
            " that can be heard."
        ),
        said=(Page.TRACKS,),
    ),
    "track.sounds": KindInfo(
        phrase="sound from {who} again",
        verb="carried sound again",
        meaning="An audio track that had carried nothing but silence carries sound.",
        cause="The participant's microphone.",
        following="They can be understood.",
        reported={"agent": "within 3 s"},
        said=(Page.TRACKS,),
    ),
    "track.unnoticed": KindInfo(
        phrase="sound from {who}, and no speech noticed",
        verb="was as loud as a voice, and was taken for no speech",
        meaning="A track was as loud as a voice for 6 s or more, and no session noticed that anybody spoke.",
        cause="A VAD, an STT or a realtime model that has stopped; or music and noise, which are no speech.",
        following="The caller speaks, as the session notices.",
        reported={"agent": "when it has lasted for 6, 12, 24 s and so on"},
        mistake="It is loudness, and not words: what was said, if anything was, is not known.",
        said=(agents("voice/audio_recognition.py"),),
    ),
    "track.unpublished": KindInfo(
        phrase="{who} unpublishes",
        verb="was unpublished",
        meaning="A track was removed.",
        cause="The participant's client, or the participant left.",
        following="Others no longer hear or see it.",
        reported={"webhook": "within its second"},
        said=(server("pkg/telemetry/events.go"),),
    ),
    "participant.aborted": KindInfo(
        phrase="{who} aborted",
        verb="aborted its connection",
        meaning="A participant left without having been ACTIVE.",
        cause="No media path within 60 s, or the client left before it was up.",
        following="Nothing: a client that tries again has another SID.",
        reported={"webhook": "within its second", "observer": "between two polls"},
        mistake="No webhook `participant_left` comes for such a one: it is `participant_connection_aborted`.",
        said=(
            server("pkg/telemetry/events.go"),
            Page.WEBHOOKS,
        ),
    ),
    "participant.left": KindInfo(
        phrase="{who} left",
        verb="left",
        meaning="A participant that had been ACTIVE left.",
        cause="Its client, a removal, a lost connection or the end of the room.",
        following="The room closes once departure_timeout has passed with nobody left but agents.",
        reported={"webhook": "within its second", "observer": "between two polls"},
        mistake=(
            "Not every `participant_joined` has a `participant_left`: webhooks get lost. And who comes back is"
            " another participant with the same identity."
        ),
        said=(
            server("pkg/telemetry/events.go"),
            Page.WEBHOOKS,
        ),
    ),
}
"""By slug."""
