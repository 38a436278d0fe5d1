"""The tool ``explain``: what a word means."""

from __future__ import annotations

from tracer.assistant.answer import Answer, Item
from tracer.assistant.called import called
from tracer.assistant.outside import quoted
from tracer.assistant.words import nearest, words

__all__ = ["explain"]


def explain(word: str) -> Answer:
    """What is described of everything that goes by this word; of an unknown one, which are near."""
    found = words(word)
    if not found:
        near = nearest(word)
        text = f"{quoted(word)} is not a word of tracer's."
        more = (
            f" Near: {', '.join(near)}."
            if near
            else " Words are moments (job.offered), causes (no-worker) and rules (5)."
        )
        return Answer([text + more], {"near": near}, following=[called("explain", word=one) for one in near[:1]])
    items = [
        Item("\n".join([name, *(f"  {what}: {text}" for what, text in told.items())]), {"word": name} | told)
        for name, told in found
    ]
    return Answer([], {}, items, "words")
