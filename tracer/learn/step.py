"""One step: the question, the guess, the call, the answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tracer.demo.run import DemoOptions, perform
from tracer.errors import ConfigurationError
from tracer.learn.guess import read
from tracer.learn.lessons import LESSONS
from tracer.learn.progress import note
from tracer.learn.shown import QuestionView, show_result
from tracer.view.console import console

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.demo.scenario import Scenario
    from tracer.timeline.timeline import Timeline

__all__ = ["take"]


def take(number: int, answer: str | None) -> None:
    """Take a step; without an answer it is asked for on a terminal, and elsewhere nothing is guessed.

    Raises ConfigurationError for a step that is not there, or an answer that is no order, before anything is started;
    DemoError and BinaryMissingError when the call cannot be made.
    """
    if not 1 <= number <= len(LESSONS):
        raise ConfigurationError(f"there is no step {number}: `tracer learn` lists the {len(LESSONS)}")
    lesson = LESSONS[number - 1]
    given = None if answer is None else read(answer, len(lesson.items))
    console().print(QuestionView(number, lesson))
    guess = given

    def asked() -> None:
        """While the question is read, what takes long has started: the answer comes seconds after the guess."""
        nonlocal guess
        guess = guess or _asked(len(lesson.items))

    def shown(_: Scenario, timeline: Timeline, store: Path) -> None:
        show_result(number, lesson, timeline, guess, store)
        note(number)

    perform(lesson.scenario, DemoOptions(), shown, asked)


def _asked(count: int) -> tuple[int, ...] | None:
    """The order that the user types; None where there is no terminal to ask in, or they would rather see it."""
    if not sys.stdin.isatty():
        return None
    while True:
        typed = click.prompt("Your order, as 2 1 3 (Enter: show me)", default="", show_default=False)
        if not typed.strip():
            return None
        try:
            return read(typed, count)
        except ConfigurationError as wrong:
            click.echo(f"{wrong}")
