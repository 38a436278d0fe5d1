"""What each word of tracer means, in one place: for `tracer explain`, the page, the terminal and assistants. Pure.

The texts stand where the thing itself stands: kinds in ``tracer.kinds``, causes in ``tracer.why``, rules in
``tracer.check``, gaps in ``tracer.latency``. Only what has no such place is written here.
"""

from __future__ import annotations

from tracer.explain.entry import Entry, Group
from tracer.explain.find import explain, group_named, nearest, words
from tracer.explain.gaps import gap

__all__ = ["Entry", "Group", "explain", "gap", "group_named", "nearest", "words"]
