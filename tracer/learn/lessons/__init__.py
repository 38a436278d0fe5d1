"""The six steps, one a file, in their order."""

from __future__ import annotations

from tracer.learn.lessons.explicit import EXPLICIT
from tracer.learn.lessons.nobody_came import NOBODY_CAME
from tracer.learn.lessons.one_call import ONE_CALL
from tracer.learn.lessons.reload import RELOAD
from tracer.learn.lessons.states import STATES
from tracer.learn.lessons.who_waits import WHO_WAITS

__all__ = ["LESSONS"]

LESSONS = (ONE_CALL, STATES, WHO_WAITS, EXPLICIT, RELOAD, NOBODY_CAME)
"""In their order: step 1 is the first."""
