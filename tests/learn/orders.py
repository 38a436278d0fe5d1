"""The real order of each step's items, as far as it must be so: what a call of the demo is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.learn.lessons import LESSONS
from tracer.learn.shown import ResultView

if TYPE_CHECKING:
    from tracer.demo.scenario import Scenario
    from tracer.timeline.timeline import Timeline

__all__ = ["ORDERS", "assert_as_taught"]

ORDERS = {
    "automatic": (3, 5, 6, 1, 4),  # the server requests the agent while the caller joins
    "silent-caller": (4, 3, 5, 1, 2),
    "precreated": (5, 3, 6, 1, 4, 2),
    "explicit": (5, 2, 4, 1),
    "reload": (3, 5, 2, 6),  # the caller is back before the session has closed, or after
    "wrong-name": (4, 5, 2, 1, 6),
}
"""By scenario; what never happens is left out."""


def assert_as_taught(scenario: Scenario, timeline: Timeline) -> None:
    """Hold a call to what the step of `tracer learn` says that is made with it; nothing where there is none."""
    lesson = next((one for one in LESSONS if one.scenario.name == scenario.name), None)
    if lesson is None:
        return
    view = ResultView(lesson, timeline, None)
    order = ORDERS[scenario.name]
    happened = [place.item for place in view.places if place.happened]
    assert [item for item in happened if item in order] == [item for item in order if item not in view.unseen]
    # Only polling shows JOINED, which can be over between two polls.
    assert {lesson.items[number - 1].text for number in view.unseen} <= {"the caller is JOINED"}
    assert {number for number, item in enumerate(lesson.items, 1) if item.never}.isdisjoint(happened)
    assert list(lesson.taught(timeline))
