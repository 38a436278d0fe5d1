"""A bundle of a room is the same from every store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tracer.service.bundle import bundle
from tracer.service.replay import opened, replay, timelines
from tracer.store.load import timeline_in
from tracer.view.why import as_json
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.store import Writer

CALL = Path(__file__).parents[1] / "calls" / "s08_worker_ws_lost.jsonl.gz"


@pytest.mark.parametrize("redact", [True, False])
def test_a_bundle_gives_the_answer_of_its_store(store: Writer, tmp_path: Path, redact: bool) -> None:
    replay([CALL], store)
    with opened(CALL) as found:
        rooms, end = found.rooms, found.now
    for room in rooms:
        path = tmp_path / "bundle"
        path.write_bytes(bundle(store, room, end, redact=redact, settings={}).body)
        (timeline,) = timelines(path)
        mine, theirs = timeline_in(store, room, now=end), timeline
        if redact:
            assert [one.cause.name for one in explain(theirs).findings] == [
                one.cause.name for one in explain(mine).findings
            ]
        else:
            assert json.dumps(as_json(theirs, explain(theirs))) == json.dumps(as_json(mine, explain(mine)))
