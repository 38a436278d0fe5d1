"""The agent's own code was under way, and nothing came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.limits import SOON, STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.call.serving import over_at, seconds, stays
from tracer.why.call.speech import spoken_until
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.serving import Stay
    from tracer.why.cause import Finding

__all__ = ["OwnCodeHangs"]

ON_PURPOSE = 20 * NS_PER_S
"""Code that returned, or that may wait on purpose, is worth a word after this time, ns: a tool that searches or
transfers takes ten seconds now and then."""
TOOL, TURN, ENTER = "function_tool", "on_user_turn_completed", "on_enter"


class _Quiet(NamedTuple):
    """Code that was under way while a caller heard nothing, for so long."""

    began: Step
    returned: Step | None
    stay: Stay
    spoken: bool
    """Whether the agent had spoken within it, as to say that it takes a while."""
    never: bool
    """Whether it did not return while they were there: with the session it is cancelled."""


class OwnCodeHangs(Cause):
    """The caller hears nothing while a function tool, ``on_user_turn_completed``, ``on_enter`` or ``on_exit`` runs on.

    Known from the job's spans of these names, of which an instrumented agent reports the start at once; from a caller
    who was there; and from nothing asked of a model and nothing said meanwhile. A tool takes some seconds (of an MCP
    server, livekit-agents waits 5 s for it): it is found after 10 s without an end, and after 20 s of one that
    returned; ``on_user_turn_completed`` after 10 s in any case: the answer, also one that is made ahead, waits for it.
    Certain of ``on_user_turn_completed``, and of a tool after 20 s, if it did not return, and nothing else can have
    been played. Nothing where a tool hands over to a task (AgentTask), which talks itself, or where another caller was
    there to talk to.
    """

    name = "own-code-hangs"
    symptom = Symptom.SILENT
    about = (
        "a function tool of the agent, or another function of its own, took long or did not return, and the agent was"
        " silent"
    )
    advice = (
        "Give what the code waits for a limit (asyncio.timeout(…), or the timeout of its client), and say something"
        " while the caller waits: session.say() in the tool, or a sound (BackgroundAudioPlayer). What takes long is"
        " better a task of its own, with an answer to the caller meanwhile."
    )
    said = (
        agents("voice/generation.py"),
        agents("voice/agent_activity.py"),
        Page.NODES,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            quiet = [one for one in _quiet(call, job) if self._matters(call, job, one)]
            if worst := max(quiet, key=lambda one: one.stay.lasted, default=None):
                yield self._finding(call, job, worst)

    def _finding(self, call: Call, job: Job, one: _Quiet) -> Finding:
        name, lasted = name_of(one.stay.who), seconds(call, one.stay)
        nothing = f"{name} heard nothing{' more' if one.spoken else ''}"
        how = f"did not return, and for {lasted} {nothing}" if one.never else f"took long: {nothing} for {lasted} of it"
        tool = one.began.facts.get(keys.TOOL_NAME)
        what = f"The function tool {tool}" if tool else f"The {_name(one.began).replace('_tool', ' tool')}"
        sure = STUCK_BY if _name(one.began) == TURN else ON_PURPOSE
        return self.found(
            f"{what} of job {job.sid} {how}.",
            one.began,
            one.returned,
            certain=one.never and one.stay.lasted >= sure and not _may_wait(call, job, one),
        )

    @staticmethod
    def _matters(call: Call, job: Job, one: _Quiet) -> bool:
        waits_for_it = _name(one.began) == TURN  # the answer to the turn does
        patient = (not one.never and not waits_for_it) or _may_wait(call, job, one)
        if one.stay.lasted < (ON_PURPOSE if patient else STUCK_BY):
            return False
        company = any(
            who.identity != one.stay.who.identity and began < one.stay.until and ended > one.stay.since
            for began, ended, who in call.callers.active
        )
        return not company and not call.agents.ended_the_call(one.stay.until) and not _plays(call, job, one)


def _quiet(call: Call, job: Job) -> Iterator[_Quiet]:
    """The longest time that a caller heard nothing, of each time that the agent's own code ran."""
    ends = {s.occurrence: s for s in job.steps if s.kind is Kind.AGENT_CODE_RETURNED}
    for began in job.steps:
        if began.kind is not Kind.AGENT_CODE_BEGAN:
            continue
        returned = ends.get(began.occurrence)
        # An older livekit-agents reports no sessions.
        closes = [session.until for session in sessions_of(job) if session.since <= began.time <= session.until]
        end = min([over_at(call, job, began.time), *closes])
        over = min(end, returned.time if returned else FOREVER)
        speech = list(_speech(job, began.time))
        asks = [s.time for s in job.steps if s.kind in (Kind.MODEL_ASKED, Kind.MODEL_ANSWERED) and s.time > began.time]
        if _name(began) == TURN:
            asks = []  # an answer that is made ahead (preemptive generation) waits for it
        asks += [s.time for s in job.steps if s.kind is Kind.AGENT_CODE_BEGAN and _is_task(s, began)]
        if _name(began) == ENTER and speech:
            continue  # it has greeted, and may wait for an answer
        over = min([over, *asks])
        there = [
            _Quiet(began, returned, stay, since > began.time, _cut_off(call, stay, end, returned))
            for since, until in _between(speech, began.time, over)
            for stay in stays(call, job, since, until)
        ]
        if there:
            yield max(there, key=lambda one: one.stay.lasted)


def _cut_off(call: Call, stay: Stay, end: int, returned: Step | None) -> bool:
    """Whether code was under way until the caller left, or until the session or the job ended at this time, ns."""
    left = max((ended for _, ended, who in call.callers.active if who.sid == stay.who.sid), default=end)
    return returned is None or returned.time >= min(left, end) - SOON


def _speech(job: Job, since: int) -> Iterator[tuple[int, int]]:
    """From when until when the agent spoke, ns, after a time; FOREVER where it has not ended."""
    for step in job.steps:
        if step.kind is Kind.AGENT_SPEAKING:
            until = spoken_until(step)
            if until > since:
                yield step.time, until


def _between(busy: Sequence[tuple[int, int]], since: int, until: int) -> Iterator[tuple[int, int]]:
    """The stretches between two times in which nothing was said, ns."""
    for began, ended in sorted(busy):
        if since < min(began, until):
            yield since, min(began, until)
        since = max(since, ended)
    if since < until:
        yield since, until


def _is_task(step: Step, began: Step) -> bool:
    """Whether another agent of the session began within this code: a task, which talks with the caller itself."""
    return _name(step) == ENTER and step.time > began.time


def _may_wait(call: Call, job: Job, one: _Quiet) -> bool:
    """Whether it may be meant: an agent that listens first, a transfer by phone, or a sound meanwhile."""
    agent = call.agents.of(job)
    sounds = len(call.voices(agent.sid)) if agent else 0
    return _name(one.began) == ENTER or one.stay.who.kind == "SIP" or sounds > 1


def _plays(call: Call, job: Job, one: _Quiet) -> bool:
    """Whether the agent began to play something of its own meanwhile, as music on hold."""
    agent = call.agents.of(job)
    voices = call.voices(agent.sid) if agent else []
    return any(one.began.time + SOON < voice.since < one.stay.until for voice in voices)


def _name(step: Step) -> str:
    """Which span of code it is."""
    return str(step.facts.get(keys.SPAN_NAME) or TOOL)
