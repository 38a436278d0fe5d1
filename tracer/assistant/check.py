"""The tool ``check``: whether a room's events are in the order that LiveKit guarantees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.assistant.about_room import about_room
from tracer.assistant.answer import Answer, Item
from tracer.assistant.called import called
from tracer.check import Outcome
from tracer.check import check as judge
from tracer.check.sentences import skew
from tracer.view.names import with_names

if TYPE_CHECKING:
    from tracer.check import Judgement, Verdict
    from tracer.timeline.timeline import Timeline

__all__ = ["check"]

MARKS = {Outcome.HOLDS: "✓", Outcome.VIOLATED: "✗", Outcome.INCONCLUSIVE: "?"}
WORST_FIRST = (Outcome.VIOLATED, Outcome.INCONCLUSIVE, Outcome.HOLDS)


def check(timeline: Timeline) -> Answer:
    """What fails comes first, then clocks that are off, then what cannot be decided."""
    checked = judge(timeline)
    room, about = about_room(timeline)
    items = [
        _verdict(timeline, judgement, verdict)
        for judgement in checked.judgements
        for verdict in judgement.having(Outcome.VIOLATED)
    ]
    for clock, offset in checked.clocks.offsets.items():
        if offset.off or offset.contradictory:
            items.append(Item(f"clock skew: {with_names(timeline, str(clock))} is {skew(offset)}"))
    for answer in WORST_FIRST:
        items += [_rule(one) for one in checked.judgements if one.answer is answer]
    failing = checked.answer is Outcome.VIOLATED
    sid = timeline.room.sid
    following = [called("timeline", room=sid) if failing else called("why", room=sid)]
    return Answer(
        [f"{MARKS[checked.answer]} {checked.summary}", room],
        {"answer": checked.answer.value, "summary": checked.summary} | about,
        items,
        "findings",
        called("check", room=sid, page="{page}"),
        following=following,
    )


def _verdict(timeline: Timeline, judgement: Judgement, verdict: Verdict) -> Item:
    sentence = with_names(timeline, verdict.sentence)
    content = {"rule": judgement.rule.name, "answer": verdict.answer.value, "sentence": sentence}
    return Item(f"✗ rule {judgement.rule.number} {judgement.rule.name}: {sentence}", content)


def _rule(judgement: Judgement) -> Item:
    rule, summary = judgement.rule, judgement.summary
    text = f"{MARKS[judgement.answer]} {rule.number} {rule.name}: {rule.sentence} ({summary})"
    return Item(text, {"rule": rule.name, "answer": judgement.answer.value, "summary": summary})
