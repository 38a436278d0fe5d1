"""What every step has: a question about an order, the call that answers it, and why it is so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracer.demo.scenario import Scenario
    from tracer.kinds import Kind
    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["Item", "Lesson", "caller", "first", "of_agent", "of_caller", "of_worker"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of which the place in the order is asked for."""

    text: str
    """What happens, so short that it and its time fit a line of 80 columns."""
    find: Callable[[Timeline], Step | None]
    """The step that it is; None where it did not happen."""
    why: str
    """Why it happens just then, or never, in one or two whole sentences."""
    never: bool = False
    """Whether it never happens in this call; another one that is not found was not observed."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One step."""

    title: str
    """What it is about, in a few words."""
    situation: str
    """What is going to happen, in whole sentences."""
    scenario: Scenario
    items: tuple[Item, ...]
    """In an order that is not the real one: at most nine."""
    taught: Callable[[Timeline], Iterator[str]]
    """Paragraphs that say what is to be kept of it, from what was measured where there is a figure."""
    words: tuple[str, ...]
    """What `tracer explain` has more on."""
    code: str = ""
    """Lines of Python that show how to do it; empty where nothing is to be done."""


def first(kind: Kind) -> Callable[[Timeline], Step | None]:
    """The first step of a kind in the room, of whomever."""
    return lambda timeline: next((step for step in timeline.steps if step.kind is kind), None)


def of_worker(kind: Kind) -> Callable[[Timeline], Step | None]:
    """The first step of this kind that a worker reported of itself, before the room was created or after."""
    return lambda timeline: next((step for worker in timeline.workers if (step := worker.at(kind))), None)


def of_caller(kind: Kind, time: int = 1) -> Callable[[Timeline], Step | None]:
    """The caller's step of this kind: of their first or, with 2, second time in the room."""
    return lambda timeline: who.at(kind) if (who := caller(timeline, time)) else None


def of_agent(kind: Kind) -> Callable[[Timeline], Step | None]:
    """The first agent's step of this kind, as a participant."""

    def found(timeline: Timeline) -> Step | None:
        agent = next((who for who in timeline.participants if who.is_agent), None)
        return agent.at(kind) if agent else None

    return found


def caller(timeline: Timeline, time: int = 1) -> Participant | None:
    """The caller, as they joined the first or a later time."""
    return next(iter([who for who in timeline.participants if not who.is_agent][time - 1 :]), None)
