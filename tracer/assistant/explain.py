"""The tool ``explain``: what a word means, as `tracer explain` has it."""

from __future__ import annotations

from tracer.assistant.answer import Answer, Item
from tracer.assistant.called import called
from tracer.assistant.outside import quoted
from tracer.explain import Group, group_named, nearest, words
from tracer.explain import explain as look_up

__all__ = ["explain"]


def explain(word: str) -> Answer:
    """What is said of this word; of a group's name, its words; of an unknown word, which are near."""
    entry = look_up(word)
    if group := group_named(word):
        items = [Item(f"{one.word}: {one.title}", one.word) for one in words() if one.group is group]
        again = called("explain", word=word, page="{page}")
        return Answer([group.label], {"group": group.value}, items, "words", again)
    if entry is None:
        near = list(nearest(word))
        groups = ", ".join(f"{one}s" for one in Group)
        text = f"{quoted(word)} is not a word of tracer's. " + (
            f"Near: {', '.join(near)}." if near else f"Groups: {groups}."
        )
        return Answer([text], {"near": near}, following=[called("explain", word=one) for one in near[:1]])
    said = [(heading, text) for heading, text in [("meaning", entry.meaning), *entry.said] if text]
    said += [("LiveKit says so", f"{one.text} {one.url}".rstrip()) for one in entry.sources]
    return Answer(
        [f"{entry.word} ({entry.group}): {entry.title}"],
        {"word": entry.word, "group": entry.group.value, "title": entry.title},
        [Item(f"{heading}: {text}", {heading: text}) for heading, text in said],
        "said",
        called("explain", word=entry.word, page="{page}"),
        following=[called("explain", word=one) for one in entry.related[:3]],
    )
