"""Why an agent is missing, late, doubled or silent: one class for each cause, and one way to ask them all. Pure.

Source of the facts: livekit-server v1.13.5 and livekit-agents 1.8.9; the threads in which people met each are named
with its class where there are any.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.moment import Kind
from tracer.units import NS_PER_S
from tracer.why.call import Call
from tracer.why.cause import Cause, Doubt, Explanation, Finding, Symptom
from tracer.why.duplicated import DOUBLED
from tracer.why.gone import GONE
from tracer.why.late import LATE
from tracer.why.missing import MISSING
from tracer.why.silent import SILENT
from tracer.why.unseen import UNSEEN

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline

__all__ = ["CAUSES", "Cause", "Doubt", "Explanation", "Finding", "Symptom", "explain"]

CAUSES: tuple[Cause, ...] = (*MISSING, *GONE, *SILENT, *DOUBLED, *LATE, *UNSEEN)
"""Every cause; of two that fit equally well, the earlier one is named first."""


def explain(timeline: Timeline) -> Explanation:
    """What went wrong in a room, the worst and likeliest first; what could not be ruled out; or that all went well."""
    case = Call(timeline)
    place = {cause: number for number, cause in enumerate(CAUSES)}
    findings = [finding for cause in CAUSES for finding in cause.find(case)]
    findings.sort(key=lambda found: (found.cause.symptom, not found.certain, place[found.cause]))
    findings = [replace(found, steps=tuple(map(case.as_reported, found.steps))) for found in findings]
    certain = {found.cause.symptom for found in findings if found.certain}
    named = {found.cause for found in findings}
    doubts = tuple(
        Doubt(cause, how)
        for cause in CAUSES
        if cause not in named and cause.symptom not in certain and (how := cause.doubt(case))
    )
    summary, well = _summary(case, tuple(findings), doubts)
    return Explanation(tuple(findings), doubts, summary, well)


def _summary(case: Call, findings: tuple[Finding, ...], doubts: tuple[Doubt, ...]) -> tuple[str, bool | None]:
    timeline = case.timeline
    if findings:
        first = findings[0]
        return _sentence(first.cause.about if first.certain else f"probably, {first.cause.about}"), False
    pending = [step for d in case.unserved if (step := case.awaited.get(d.sid)) and not case.waited(step)]
    if pending and timeline.room.finished is None:
        since = max(timeline.now - pending[0].time, 0) / NS_PER_S
        return f"It is too early to say: an agent was asked for {since:.1f} s ago.", None
    if case.unserved:
        wanted = " and ".join(sorted({case.agent_named(d.agent_name) for d in case.unserved})) if case.agents else ""
        short = ": the room closed too soon for its jobs to be listed" if pending else ""
        short = short or (": a job was offered" if case.failed_jobs else "")
        came = f"Nobody came for {wanted}" if wanted else "No agent came"
        return f"{came}, and the witnesses do not show why{short}.", None
    if not timeline.dispatches and not case.agents:
        return "Nothing is known of any agent in this room: no witness tells of a dispatch, a job or an agent.", None
    if case.callers and not any(caller.at(Kind.PARTICIPANT_ACTIVE) for caller in case.callers):
        return "No caller was seen to become ACTIVE, and the witnesses do not show why.", None
    if case.nobody_came:
        return "No agent came: it is sent to those who publish a track, and no track of a caller's was seen.", None
    if missing := case.missing:
        what = f"{case.subject(missing.step)}: {missing.what} for {missing.ns / NS_PER_S:.0f} s"
        return f"No cause was found, but something is missing: {what}.", None
    if gave_up := case.gave_up:
        who, ns = gave_up
        return f"No cause was found, but {case.who(who)} gave up after {ns / NS_PER_S:.0f} s without media.", None
    if alone := case.left_alone:
        who, ns = alone
        return (
            f"No cause was found, but {case.who(who)} was alone for {ns / NS_PER_S:.0f} s after the agent left.",
            None,
        )
    if doubts:
        return "Nothing wrong was seen, but not everything can be ruled out.", None
    if not case.witnesses & {"webhook", "observer"}:
        return "Nothing wrong was seen, but only the agent told of this room.", None
    return "All went well." if timeline.room.finished else "All is well so far.", True


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
