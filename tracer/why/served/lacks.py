"""What a call lacks: each caller that stayed, and its jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.why.call.jobs import error_of
from tracer.why.call.limits import NOTICED, SOON
from tracer.why.call.permissions import is_hidden
from tracer.why.lack import Lack
from tracer.why.served.answering import answer_not_said, no_words, not_answered
from tracer.why.served.hearing import linked_to_unknown, listened_to_others, not_heard, not_listened_to
from tracer.why.served.sessions import answered_twice, session_not_told
from tracer.why.served.stay import CallerStay
from tracer.why.served.switched_off import input_off, output_off
from tracer.why.served.there import cut_off, no_agent, not_picked_up, permissions_unknown, something_lost
from tracer.why.served.understanding import not_understood
from tracer.why.served.voice import no_voice, voice_ended, voice_not_taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Participant
    from tracer.why.call import Call

__all__ = ["lacks", "left_alone"]

POSSIBLE = (
    no_agent,
    not_picked_up,
    permissions_unknown,
    something_lost,
    no_voice,
    voice_ended,
    voice_not_taken,
    not_heard,
    input_off,
    output_off,
    listened_to_others,
    not_listened_to,
    not_understood,
    not_answered,
    answer_not_said,
    no_words,
    cut_off,
    answered_twice,
    linked_to_unknown,
    session_not_told,
)
"""What a stay can lack, each found by a function. The first is told: the rest may follow from it."""


def lacks(call: Call) -> list[Lack]:
    """All that a call lacks: what was missing for certain first, and of that the longest first."""
    found = [*_failed_jobs(call), *_lost_spans(call)]
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


def _lacks(stay: CallerStay) -> Iterator[Lack]:
    """What a stay lacks; only the first where the rest follows from it."""
    lack = next((found for lacked in POSSIBLE if (found := lacked(stay))), None)
    if lack:
        stayed = stay.ended - stay.began
        early = f"{stay.name} became ACTIVE" if stay.goes_on and stayed < NOTICED else ""
        yield replace(lack, early="" if lack.certain else early, early_ns=stayed)


def _lost_spans(call: Call) -> Iterator[Lack]:
    """Jobs that reported more than what came."""
    for job in sorted(call.timeline.spans_lost):
        yield Lack(f"spans of job {job} were lost on their way, and what they showed is not known", certain=False)


def _failed_jobs(call: Call) -> Iterator[Lack]:
    """Jobs that ended JS_FAILED. A job of a deleted room does so too, by the server's word alone: that is no fault."""
    finished = call.timeline.room.finished
    for job in call.timeline.jobs:
        ended = job.at(Kind.JOB_ENDED)
        if job.status != "JS_FAILED" or ended is None:
            continue
        by_agent = "agent" in ended.witnesses
        if by_agent or finished is None or ended.time < finished.time - SOON:
            why = f" ({error})" if (error := error_of(ended)) else ""
            over = ", after its call" if call.callers.all_left_by(ended.time) else ""
            yield Lack(f"job {job.sid} ended JS_FAILED{why}{over}", certain=by_agent)
