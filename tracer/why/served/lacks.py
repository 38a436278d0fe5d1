"""What a call lacks: each caller that stayed, and its jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.timeline.entities import Participant, Track
from tracer.timeline.sessions import sessions_of
from tracer.why.call.jobs import error_of, in_vain
from tracer.why.call.limits import LONG_ENOUGH, NOTICED, SOON, STUCK_BY
from tracer.why.call.participants import DROPPED, name_of
from tracer.why.call.permissions import is_hidden
from tracer.why.call.voices import mutes
from tracer.why.lack import Lack
from tracer.why.served.answering import answer_not_said, no_words, not_answered
from tracer.why.served.hearing import linked_to_unknown, listened_to_others, not_heard, not_listened_to
from tracer.why.served.interrupted import always_interrupted, never_ended
from tracer.why.served.sessions import answered_twice, session_not_told
from tracer.why.served.stay import CallerStay
from tracer.why.served.switched_off import input_off, output_off
from tracer.why.served.there import (
    cut_off,
    no_agent,
    not_picked_up,
    permissions_unknown,
    something_lost,
    standing_still,
)
from tracer.why.served.understanding import not_understood
from tracer.why.served.voice import last_words_silent, no_voice, nothing_played, voice_ended, voice_not_taken
from tracer.why.unrecorded.lost_webhooks import LostWebhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call

__all__ = ["lacks", "left_alone", "lost_at_last", "muted_at_last"]

AFTER_THE_ANSWER = (
    "Look at what follows the answer below agent_turn in the trace: the TTS, a tts_node of your own, a function_tool"
    " that takes long or returns None (then no answer follows), calls of tools and no word (max_tool_steps), or an"
    " on_user_turn_completed that raises StopResponse."
)
POSSIBLE: dict[Callable[[CallerStay], Lack | None], str] = {
    no_agent: "No witness shows why: look at the moments around that time (tracer timeline), and at the agent's log.",
    not_picked_up: (
        "Greet when somebody has answered: CreateSIPParticipant with wait_until_answered=True, or wait for the"
        " attribute sip.callStatus to be active."
    ),
    permissions_unknown: "Set up webhooks (tracer doctor): they report what each participant may do.",
    something_lost: (
        "Find what took it away: UpdateParticipant or UpdateSubscriptions in a backend, or set_subscribed() in the"
        " agent's own code."
    ),
    standing_still: (
        "Look at the server at that time (did it stand still, a machine without CPU or memory?), and at the network"
        " between it and the agent's machine: other calls of that time tell which, and the caller's own log (ping"
        " timeout)."
    ),
    no_voice: (
        "An agent that is to speak needs a session with a TTS or a realtime model, started with its room: await"
        " session.start(agent=…, room=ctx.room)."
    ),
    voice_ended: "Find what unpublished the agent's track: its own code, a permission that was taken away, an avatar.",
    voice_not_taken: "See that the caller's client subscribes to the agent's track: auto_subscribe, set_subscribed().",
    not_heard: (
        "See that the caller's client publishes a microphone, and that the agent is instrumented (tracer.instrument):"
        " it reports whom its session listens to, and whether it hears them."
    ),
    input_off: (
        "session.input.set_audio_enabled(False), session.input.audio = None or session.room_io.unset_participant()"
        " turned it off: see that something turns it on again."
    ),
    output_off: (
        "session.output.set_audio_enabled(False) or session.output.audio = None turned it off: see that something turns"
        " it on again."
    ),
    listened_to_others: (
        "A session listens to one participant: choose whom with participant_identity in room_options, or"
        " session.room_io.set_participant()."
    ),
    not_listened_to: (
        "A session listens to one participant, and to nobody when they have left: link it to one who is there with"
        " session.room_io.set_participant()."
    ),
    never_ended: "",
    not_understood: (
        "Look at the STT for that time: its language, its sample rate, its provider's status, and an stt_node of your"
        " own."
    ),
    not_answered: (
        "Look at the model's provider for that time, and give each request a limit (APIConnectOptions in the session's"
        " conn_options)."
    ),
    answer_not_said: AFTER_THE_ANSWER,
    nothing_played: (
        "A realtime model that answers in text (its modalities, or a chat context of text) needs a TTS in the session,"
        " too: the agent's own log tells of it."
    ),
    last_words_silent: "Listen to what the TTS gave then: its provider, its sample rate, a tts_node of your own.",
    no_words: AFTER_THE_ANSWER,
    always_interrupted: "",
    cut_off: "Look at the server's log, and at what the caller's client does: its SDK can simulate a server that ends.",
    answered_twice: "See why two are dispatched: one agent in the token or RoomConfiguration, and CreateDispatch once.",
    linked_to_unknown: "An identity tells whom a session listens to: with --redact it is not kept.",
    session_not_told: (
        "Give the agent's process time to end (shutdown_process_timeout): it sends its last spans as it does, to the"
        " receiver that TRACER_ENDPOINT names."
    ),
}
"""What a stay can lack, each found by a function, with what to do, unless the function itself knows better.

The first is told: the rest may follow from it.
"""
ON_THEIR_WAY = (
    "Look for what lost them: a collector that samples, a process that was killed before it had sent its spans, a"
    " receiver that was away (TRACER_ENDPOINT)."
)
"""Of a job whose spans were lost."""
MOST_NAMES = 3
"""Participants that are named of whom webhooks were lost."""
ITS_LOG = "The agent's own log has the exception, with its traceback."
"""Of a job that failed."""


def lacks(call: Call) -> list[Lack]:
    """All that a call lacks: what was missing for certain first, and of that the longest first."""
    found = [*_failed_jobs(call), *_lost_spans(call), *_lost_webhooks(call)]
    # Whom nobody sees, beside others who can be seen, listens to the call, as a supervisor does.
    seen = [stay for stay in call.callers.active if not is_hidden(stay[2])]
    for began, ended, who in seen or call.callers.active:
        found += _lacks(CallerStay(call, who, began, min(ended, call.end)))
    return sorted(found, key=lambda lack: (not lack.certain, -lack.ns))


def left_alone(call: Call) -> tuple[Participant, int] | None:
    """Who stayed on longest after the agent had left, and for how long, ns; None where that is not worth a word."""
    stays = [CallerStay(call, who, began, min(ended, call.end)) for began, ended, who in call.callers.active]
    found = [(stay.who, stay.alone_at_last) for stay in stays if not is_hidden(stay.who)]
    return max((one for one in found if one[1] > SOON), key=lambda one: one[1], default=None)


def lost_at_last(call: Call) -> Participant | None:
    """Whom the server lost at last, without a word of theirs, beside an agent: they may have been cut off."""
    stays = (CallerStay(call, who, began, min(ended, call.end)) for began, ended, who in call.callers.active)
    lost = (stay for stay in stays if stay.who.disconnect_reason in DROPPED and not stay.came_back)
    return next((stay.who for stay in lost if any(one.until >= stay.ended for one in stay.served)), None)


def muted_at_last(call: Call) -> tuple[Participant, int] | None:
    """Whose microphone was muted for longest at their end, and for how long, ns; None where none was for long."""
    found = []
    for _, ended, who in call.callers.active:
        until = min(ended, call.end)
        tracks = [t for t in call.timeline.tracks if t.participant == who.sid and t.steps[0].time < until]
        last = [next((m for m, end in mutes(t) if end is None or end.time >= until - SOON), None) for t in tracks]
        muted = [step.time for step in last if step]
        if muted and len(muted) == len(tracks):
            found.append((who, until - max(muted)))
    return max((one for one in found if one[1] > STUCK_BY), key=lambda one: one[1], default=None)


def _lacks(stay: CallerStay) -> Iterator[Lack]:
    """What a stay lacks; only the first where the rest follows from it."""
    for lacked, advice in POSSIBLE.items():
        if lack := lacked(stay):
            stayed = stay.ended - stay.began
            early = f"{stay.name} became ACTIVE" if stay.goes_on and stayed < NOTICED else ""
            yield replace(lack, early="" if lack.certain else early, early_ns=stayed, advice=lack.advice or advice)
            return


def _lost_spans(call: Call) -> Iterator[Lack]:
    """Jobs that reported more than what came."""
    for job, count in sorted(call.timeline.spans_lost.items()):
        spans = f"{count} spans" if count > 1 else "spans"
        sentence = f"{spans} of job {job} were lost on their way, and what they showed is not known"
        if count == 1:
            sentence = f"a span of job {job} was lost on its way, and what it showed is not known"
        yield Lack(sentence, certain=False, advice=ON_THEIR_WAY)


def _lost_webhooks(call: Call) -> Iterator[Lack]:
    """Participants and tracks of which more was in webhooks than in what came."""
    about = [call.timeline.by_sid.get(step.subject) for step in call.webhooks_lost]
    whose = [call.timeline.by_sid.get(one.participant or "") if isinstance(one, Track) else one for one in about]
    names = list(dict.fromkeys(name_of(one) for one in whose if isinstance(one, Participant)))
    if about:
        more = " and others" if len(names) > MOST_NAMES else ""
        of = f" about {', '.join(names[:MOST_NAMES])}{more}" if names else ""
        sentence = f"webhooks{of} were lost, and what was in them is not known"
        yield Lack(sentence, certain=False, advice=LostWebhooks.advice)


def _failed_jobs(call: Call) -> Iterator[Lack]:
    """Jobs that ended JS_FAILED. A job of a deleted room does so too, by the server's word alone: that is no fault."""
    finished = call.timeline.room.finished
    for job in call.timeline.jobs:
        ended = job.at(Kind.JOB_ENDED)
        if job.status != "JS_FAILED" or ended is None:
            continue
        by_agent = "agent" in ended.witnesses
        if by_agent and _waited_for_nobody(call, job, ended):
            continue
        if by_agent or finished is None or ended.time < finished.time - SOON:
            why = f" ({error})" if (error := error_of(ended)) else ""
            over = ", after its call" if call.callers.all_left_by(ended.time) else ""
            yield Lack(f"job {job.sid} ended JS_FAILED{why}{over}", certain=by_agent, advice=ITS_LOG)


def _waited_for_nobody(call: Call, job: Job, ended: Step) -> bool:
    """Whether a job ended as its wait for a participant was cut short by the room's end, with nobody there to wait for.

    Who had called may have left before the agent was there.
    """
    waited = [start for start, end in in_vain(job) if end and abs(end.time - ended.time) <= SOON]
    if not waited or sessions_of(job):
        return False
    since = min(start.time for start in waited)
    seen = ((came, left) for came, left, who in call.callers.active if not is_hidden(who))
    return not any(min(left, ended.time) - max(came, since) > LONG_ENOUGH for came, left in seen)
