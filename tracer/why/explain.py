"""One way to ask every cause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.timeline.once import once
from tracer.units import clock
from tracer.why.call import Call
from tracer.why.cause import Doubt
from tracer.why.causes import CAUSES
from tracer.why.conclusions import CONCLUSIONS, Known
from tracer.why.explanation import Explanation
from tracer.why.node_words import doubt_in_words_of, finding_in_words_of
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline
    from tracer.why.cause import Finding

__all__ = ["explain"]

INSTRUMENT = "instrument "
"""How an advice begins that is the same for every cause which only an agent's or worker's reports show."""
OR_ELSE = ", or "
"""What comes before another way to find out."""


@once
def explain(timeline: Timeline) -> Explanation:
    """Why a call went as it did: the causes, the worst and likeliest first; what cannot be ruled out; a summary."""
    call = Call(timeline)
    findings = _findings(call)
    doubts = _doubts(call, findings)
    known = Known(call, findings, doubts)
    summary, well = next(
        (sentence, conclusion.well) for conclusion in CONCLUSIONS if (sentence := conclusion.sentence(known))
    )
    if (at := timeline.cut_off) and clock(at) not in summary:
        summary = f"{summary.removesuffix('.')}; tracer stopped listening at {clock(at)}, and the rest is not known."
    return Explanation(
        tuple(finding_in_words_of(timeline, finding) for finding in findings),
        tuple(doubt_in_words_of(timeline, doubt) for doubt in doubts),
        summary,
        well,
        _advice(known, summary),
        tuple(lack for lack in known.lacks if lack.certain) if well is False else (),
    )


def _advice(known: Known, summary: str) -> str:
    """What to do about what the summary says to be missing, unless a cause explains it and has its own advice."""
    if any(finding.cause.symptom is not Symptom.UNRECORDED for finding in known.findings):
        return ""
    return next((lack.advice for lack in known.lacks[:1] if lack.sentence in summary), "")


def _findings(call: Call) -> tuple[Finding, ...]:
    place = {cause: number for number, cause in enumerate(CAUSES)}
    findings = [found for cause in CAUSES for finding in cause.find(call) if (found := _as_recorded(call, finding))]
    findings.sort(key=lambda found: (found.cause.symptom.rank, not found.certain, place[found.cause]))
    return tuple(replace(found, evidence=tuple(map(call.as_reported, found.evidence))) for found in findings)


def _as_recorded(call: Call, finding: Finding) -> Finding | None:
    """A finding that nothing which is not recorded can overturn, or as one that is only likely; else None.

    Where spans or webhooks were lost anything more can have happened. An agent that is missing or late may have come,
    and been asked for, while nobody listened.
    """
    timeline, times = call.timeline, [step.time for step in finding.evidence]
    if (timeline.spans_lost or call.webhooks_lost) and finding.cause.symptom is not Symptom.UNRECORDED:
        finding = replace(finding, certain=False)
    if not timeline.gaps or not times or timeline.is_heard(min(times), max(times)):
        return finding
    if finding.cause.symptom in (Symptom.MISSING, Symptom.LATE):
        return None
    began = timeline.heard_from
    return replace(finding, certain=finding.certain and timeline.is_heard(max(min(times), began or 0) + 1, max(times)))


def _doubts(call: Call, findings: tuple[Finding, ...]) -> tuple[Doubt, ...]:
    """What is neither found nor of a symptom that is explained for certain.

    To instrument is advised once, and then only what else there is to do; two that are found out alike are one.
    """
    found = {finding.cause for finding in findings}
    explained = {finding.cause.symptom for finding in findings if finding.certain}
    open_causes = (cause for cause in CAUSES if cause not in found and cause.symptom not in explained)
    doubts: dict[str, Doubt] = {}
    for cause in open_causes:
        how = cause.doubt(call) or ""
        if how.startswith(INSTRUMENT) and any(other.startswith(INSTRUMENT) for other in doubts):
            how = how.partition(OR_ELSE)[2]
        if how:
            doubts.setdefault(how, Doubt(cause, how))
    return tuple(doubts.values())
