from __future__ import annotations

import json
from pathlib import Path

from tests.moments import ROOM, call
from tracer.explain import Group, explain
from tracer.moment import Kind
from tracer.service.replay import timelines
from tracer.timeline.fold import fold
from tracer.view.page.room import as_json

CALLS = Path(__file__).parents[2] / "calls"


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


def test_a_room_lasted_until_it_closed_though_its_job_went_on() -> None:
    shown = as_json(timelines(CALLS / "on_enter_hangs.jsonl.gz")[-1])
    assert 24_000 < shown["room"]["lasted_ms"] < 25_000
    assert shown["end_ms"] > 90_000
    unfinished = [one for one in call() if one.kind is not Kind.ROOM_FINISHED]
    assert as_json(fold(ROOM, unfinished))["room"]["lasted_ms"] is None


def test_who_came_again_has_all_moments_on_one_lane() -> None:
    timeline = timelines(CALLS / "s15_hot_reload.jsonl.gz")[-1]
    shown = as_json(timeline)
    stays = {agent.sid for agent in timeline.agents}
    assert len(stays) == 2
    joined = [row["lane"] for row in shown["rows"] if row["kind"] == "participant.joining" and "agent" in row["what"]]
    assert len(joined) == 2
    assert len(set(joined)) == 1
    assert {row["lane"] for row in shown["rows"]} <= {lane["id"] for lane in shown["lanes"]} | {None}
