from __future__ import annotations

import json

from tests.moments import ROOM, call
from tracer.explain import Group, explain
from tracer.timeline.fold import fold
from tracer.view.page.room import as_json


def test_what_is_on_the_page_has_the_words_of_explain_once() -> None:
    shown = as_json(fold(ROOM, call()))
    assert json.loads(json.dumps(shown)) == shown
    said = shown["words"]
    assert {row["kind"] for row in shown["rows"]} | {gap["owner"] for gap in shown["budget"]["gaps"]} <= said.keys()
    assert "model.failed" not in said, "what is not on the page is not sent"
    found = explain("job.offered", Group.MOMENT)
    assert found
    assert said["job.offered"] == found.hover
    assert all(gap["hover"].split("\n")[0].endswith(".") for gap in shown["budget"]["gaps"])
