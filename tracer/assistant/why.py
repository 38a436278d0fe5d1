"""The tool ``why``: why a call went as it did, the worst and likeliest cause first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer.assistant.about_room import about_room, verdict
from tracer.assistant.answer import Answer, Item
from tracer.assistant.called import called
from tracer.units import NS_PER_MS, offset
from tracer.view.names import with_names
from tracer.view.text import plain
from tracer.view.wording import say
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.why import Doubt, Finding

__all__ = ["why"]

MOST_STEPS = 4
"""Moments of evidence told of each finding."""


def why(timeline: Timeline) -> Answer:
    """The causes with evidence and advice, then what cannot be ruled out."""
    explanation = explain(timeline)
    said, content = verdict(timeline, explanation)
    room, about = about_room(timeline)
    sid = timeline.room.sid
    if explanation.advice:
        said, content = f"{said}\ndo: {explanation.advice}", content | {"do": explanation.advice}
    items = [_finding(timeline, number, one) for number, one in enumerate(explanation.findings, 1)]
    items += [_doubt(timeline, one) for one in explanation.doubts]
    following = [called("timeline", room=sid)]
    if explanation.findings:
        following.append(called("explain", word=explanation.findings[0].cause.name))
    return Answer(
        [said, room], content | about, items, "causes", called("why", room=sid, page="{page}"), following=following
    )


def _finding(timeline: Timeline, number: int, found: Finding) -> Item:
    sentence = with_names(timeline, found.sentence)
    evidence = [_step(timeline, step) for step in found.evidence[:MOST_STEPS]]
    likely = "" if found.certain else " (likely, not proven)"
    lines = [
        f"{number}. {found.cause.name}{likely}: {sentence}",
        *(f"   {line}" for line in evidence),
        f"   do: {found.advice}",
    ]
    content: dict[str, Any] = {
        "cause": found.cause.name,
        "certain": found.certain,
        "sentence": sentence,
        "evidence": evidence,
        "do": found.advice,
    }
    return Item("\n".join(lines), content)


def _doubt(timeline: Timeline, doubt: Doubt) -> Item:
    how = with_names(timeline, doubt.how)
    text = f"not ruled out: {doubt.cause.name}, {doubt.cause.about}. To find out: {how}"
    return Item(text, {"not_ruled_out": doubt.cause.name, "to_find_out": how})


def _step(timeline: Timeline, step: Step) -> str:
    what, detail = say(timeline, step)
    source = plain(", ".join(step.witnesses))
    return f"{offset((step.time - timeline.zero) / NS_PER_MS)} {what}{detail and f'  {detail}'} [{source}]"
