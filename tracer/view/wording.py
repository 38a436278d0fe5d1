"""A step in words: its kind's phrase, with the name of whom it is about, and its details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from tracer.view.details import detail
from tracer.view.names import job_tag, name_of
from tracer.view.text import fit, plain

if TYPE_CHECKING:
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["say"]


def say(timeline: Timeline, step: Step, width: int | None = None) -> tuple[str, str]:
    """A step in a few words, and the details of it; harmless to print. Where there are several jobs, first which.

    With a ``width``, so many columns at the most: the name is cut first.
    """
    phrase, name = step.kind.info.phrase, name_of(timeline, step.subject)
    tag = job_tag(timeline, step.subject)
    if width is not None:
        room = width - cell_len(tag) - 2 if tag else width
        name = fit(name, room - cell_len(phrase) + len("{who}"))
        phrase = fit(phrase, room) if tag and "{who}" not in phrase else phrase
    details = " ".join(part for part in (tag, plain(detail(timeline, step))) if part)
    return phrase.format(who=name), details
