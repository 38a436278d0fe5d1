"""What a step shows: the question, then the guess beside what really happened, and why."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from rich.text import Text

from tracer.demo.answers import at
from tracer.demo.shown import called, command, say
from tracer.learn.guess import marked
from tracer.learn.lessons import LESSONS
from tracer.view.console import console
from tracer.view.prose import wrapped
from tracer.view.why import WhyView
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.learn.guess import Place
    from tracer.learn.lesson import Lesson
    from tracer.timeline.timeline import Timeline

__all__ = ["ListView", "QuestionView", "ResultView", "show_result"]

WIDEST = 100
"""Columns; longer lines of prose are not read."""
WHAT = 46
"""Columns of what happens."""
AT = 12
"""Columns of when."""
MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: (" ", "")}


class ListView:
    """A Rich renderable: the steps, which were done, and what comes next."""

    def __init__(self, done: Collection[int]) -> None:
        self.done = done

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        yield Text("Six steps, each with a real call: guess the order, see what happened, and why.\n")
        for number, lesson in enumerate(LESSONS, 1):
            line = Text.assemble(("✓ " if number in self.done else "  ", "green"), f"{number}  {lesson.title}")
            yield from wrapped(console, line, width, 0, 5)
        following = next((number for number in range(1, len(LESSONS) + 1) if number not in self.done), None)
        yield Text()
        if following:
            yield Text(f"next: {called()} learn {following}", style="bold")
        else:
            yield Text(f"All done. {called()} demo --list has a call for everything that goes wrong.", style="bold")


class QuestionView:
    """A Rich renderable: what is going to happen, and what is to be put in order."""

    def __init__(self, number: int, lesson: Lesson) -> None:
        self.number = number
        self.lesson = lesson

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        yield Text(f"Step {self.number} of {len(LESSONS)}: {self.lesson.title}\n", style="bold")
        yield from wrapped(console, Text(self.lesson.situation), width, 0, 0)
        yield Text("\nIn which order do these happen?\n")
        for number, item in enumerate(self.lesson.items, 1):
            yield Text(f"  {number}  {item.text}")
        yield Text()


class ResultView:
    """A Rich renderable: the real order with its times, the guess beside it, why, and what to keep of it."""

    def __init__(self, lesson: Lesson, timeline: Timeline, guess: Sequence[int] | None) -> None:
        self.lesson = lesson
        self.timeline = timeline
        self.guess = guess
        steps = {number: item.find(timeline) for number, item in enumerate(lesson.items, 1)}
        self.steps = steps
        # By their place among all steps: of two that are as early, the timeline knows which is first.
        place = {step.key: n for n, step in enumerate(timeline.steps)}
        known = {
            number: None if step is None else place.get(step.key, -1)
            for number, step in steps.items()
            if step is not None or lesson.items[number - 1].never
        }
        self.places = marked(known, guess)
        self.unseen = [number for number in steps if number not in known]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        yield Text(
            f"{'':5}{'what really happened':{WHAT}}{'at':>{AT}}" + ("   your place" if self.guess else ""), "dim"
        )
        ordinals = count(1)
        for place in self.places:
            yield self._row(place, next(ordinals) if place.happened else None)
        for number in self.unseen:
            yield Text(f"{'':5}{self._text(number):{WHAT}}{'not observed':>{AT}}", style="dim")
        yield Text()
        wrong = [place for place in self.places if not place.right]
        if self.guess and not wrong:
            yield Text("All in the right order.", style="bold green")
            wrong = list(self.places)
        for number in [*(place.item for place in wrong), *self.unseen]:
            item = self.lesson.items[number - 1]
            why = Text.assemble((f"{item.text}: ", "bold"), item.why)
            yield from wrapped(console, why, width, 0, 2)
        for paragraph in self.lesson.taught(self.timeline):
            yield Text()
            yield from wrapped(console, Text(paragraph), width, 0, 0)
        if self.lesson.code:
            yield Text()
            for line in self.lesson.code.splitlines():
                yield Text(f"    {line}", style="cyan", no_wrap=True)

    def _row(self, place: Place, ordinal: int | None) -> Text:
        sign, style = MARKS[place.right]
        line = Text.assemble((f"{sign} ", style), f"{ordinal or '-':>2} {self._text(place.item):{WHAT}}")
        step = self.steps[place.item]
        line.append(f"{at(self.timeline, step) if step else 'never':>{AT}}", style="bold" if ordinal else "dim")
        if self.guess:
            line.append(f"   {place.guessed or '-'}", style=style)
        return line

    def _text(self, number: int) -> str:
        return self.lesson.items[number - 1].text


def show_result(number: int, lesson: Lesson, timeline: Timeline, guess: Sequence[int] | None, store: Path) -> None:
    """All that a step shows when its call is over."""
    out = console()
    out.print()
    out.print(ResultView(lesson, timeline, guess))
    if lesson.scenario.cause == "no-worker":
        out.print()
        out.print(WhyView(timeline, explain(timeline)))
    out.print()
    say(f"the whole call: {command('timeline', timeline, store)}", whole=True)
    say(f"more on:        {called()} explain {lesson.words[0]}   (also {', '.join(lesson.words[1:])})", whole=True)
    if number < len(LESSONS):
        say(f"next:           {called()} learn {number + 1}   ({LESSONS[number].title})", whole=True)
