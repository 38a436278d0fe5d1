from __future__ import annotations

import pytest

from tests.moments import ROOM, call
from tests.view.test_stats import shown
from tracer.timeline.fold import fold
from tracer.view.legend import Legend
from tracer.view.terminal import TimelineView

DRAWN = "✓✗◌◐●┄━┫▸├┤✕╌⋯"


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_every_sign_is_explained_at_every_width(width: int) -> None:
    text = "\n".join(shown(Legend(), width))
    assert [sign for sign in DRAWN if sign not in text] == []
    assert all(word in text for word in ("±", "?!", "accuracy"))


def test_what_a_timeline_draws_is_explained() -> None:
    text = "\n".join(shown(TimelineView(fold(ROOM, call()), summary=True), 120))
    drawn = {char for char in text if not char.isascii()}
    assert drawn - set("▏─…→'’") <= set("\n".join(shown(Legend(), 120)))  # noqa: RUF001
