from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.moments import ADA, ROOM, call
from tracer import keys
from tracer.moment import facts
from tracer.service.replay import timelines
from tracer.timeline.fold import fold
from tracer.view.lanes import main_lanes
from tracer.view.svg import COLUMN, COLUMNS, EDGE, as_svg
from tracer.view.terminal import notable
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline

CALLS = Path(__file__).parents[1] / "calls"
SVG = "{http://www.w3.org/2000/svg}"


def of(name: str) -> Timeline:
    return timelines(CALLS / f"{name}.jsonl.gz")[-1]


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314  our own


@pytest.mark.parametrize("name", ["ok_two_callers", "case_agent_cut", "s11_all_reject", "two_job_types"])
def test_each_bar_of_each_lane_is_drawn_within_the_picture(name: str) -> None:
    timeline = of(name)
    lanes = main_lanes(timeline, notable(timeline), explain(timeline))
    root = parsed(as_svg(timeline))
    bars = [bar for bar in root.iter(f"{SVG}rect") if "bar" in bar.get("class", "")]
    assert len(bars) == sum(len(lane.bars) for lane in lanes)
    wide, high = (float(root.get(name, "")) for name in ("width", "height"))
    assert wide == COLUMNS * COLUMN + 2 * EDGE
    for bar in bars:
        x, y, width = (float(bar.get(name, "")) for name in ("x", "y", "width"))
        assert EDGE <= x <= x + width <= wide
        assert 0 < y < high
        assert bar.find(f"{SVG}title") is not None
    groups = [group.get("class") for group in root.iter(f"{SVG}g")]
    assert len(groups) == len(lanes)


@pytest.mark.parametrize("name", ["s15_hot_reload", "case_shutdown_slow", "on_enter_hangs", "ok_two_callers"])
def test_no_time_of_the_scale_reaches_the_edge_or_the_next(name: str) -> None:
    root = parsed(as_svg(of(name)))
    times = [one for one in root.iter(f"{SVG}text") if one.get("class") == "soft small num"]
    assert times
    ends = [float(one.get("x", "")) + len(one.text or "") * COLUMN for one in times]
    assert ends[-1] <= float(root.get("width", "")) - EDGE
    assert all(end <= float(later.get("x", "")) for end, later in zip(ends, times[1:], strict=False))


def test_it_says_what_it_is_and_how_it_went_in_light_and_dark_without_anything_from_elsewhere() -> None:
    picture = as_svg(of("case_agent_cut"))
    root = parsed(picture)
    title, told = root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")
    assert title
    assert "case-agent-cut" in title
    assert told
    assert told.startswith("✗ The agent lost its connection")
    assert "prefers-color-scheme:dark" in picture
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|url\(|@import|@font-face|<script|<image|href", picture)
    assert "is-failed" in picture


def test_the_summary_has_no_moments_and_a_width_is_in_columns() -> None:
    timeline = fold("RM_ev5rQjUVknES", call())
    assert "job assigned" in as_svg(timeline)
    assert "job assigned" not in as_svg(timeline, summary=True)
    assert parsed(as_svg(timeline, width=100)).get("width") == str(100 * COLUMN + 2 * EDGE)


@pytest.mark.parametrize("name", ["a", "a-name-of-twenty-letters", "n" * 200])
def test_no_line_above_the_lanes_is_wider_than_the_picture(name: str) -> None:
    moments = [replace(one, facts=facts({**dict(one.facts), keys.ROOM_NAME: name})) for one in call()]
    root = parsed(as_svg(fold(ROOM, moments)))
    above = [one.text or "" for one in root.iter(f"{SVG}text") if one.get("class") == "soft small"]
    assert any(ROOM in line for line in above)
    assert sum("agent ready after" in line for line in above) == 1
    assert all(len(line) <= COLUMNS for line in above)


def test_what_strangers_chose_is_text() -> None:
    hostile = '</text><script>alert(1)</script>"&\x1b[31m\u202e'
    moments = [
        type(one)(
            **{
                **{name: getattr(one, name) for name in one.__dataclass_fields__},
                "facts": facts({**dict(one.facts), keys.PARTICIPANT_IDENTITY: hostile}),
            }
        )
        if one.subject == ADA
        else one
        for one in call()
    ]
    picture = as_svg(fold("RM_ev5rQjUVknES", moments))
    root = parsed(picture)
    assert not list(root.iter(f"{SVG}script"))
    assert "</text><script>" in "".join(root.itertext())
    assert "\x1b" not in picture
    assert "\u202e" not in picture


def test_a_room_of_which_nothing_is_known_is_drawn() -> None:
    assert parsed(as_svg(fold("RM_none", []))).tag == f"{SVG}svg"


def test_only_the_words_of_what_failed_are_red() -> None:
    drawn = as_svg(timelines(CALLS / "exits_in_call.jsonl.gz")[-1])
    assert '<tspan class="bad">process failed</tspan><tspan class="soft"> · 8.0 ms to th' in drawn
