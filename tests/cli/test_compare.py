from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_cli import store
from tests.cli.test_stats import keep
from tests.latency.test_gaps import cold
from tests.moments import ROOM, call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.test_cli import Tracer

__all__ = ["store"]


def test_two_rooms_are_compared(tracer: Tracer, store: Path) -> None:
    keep(store, "RM_cold", cold())
    ran = tracer("compare", "RM_cold", ROOM, "--store", store)
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[:2] == ["room A  demo RM_cold", f"room B  demo {ROOM}"]
    assert "problems in room A only: cold-process" in lines
    most = "largest difference: process.started → process.ready (your code) took 1.5 s longer in room A"
    assert most in " ".join(ran.stdout.split())
    assert "\x1b" not in ran.stdout
    told = json.loads(tracer("compare", "RM_cold", "demo", "--store", store, "--format", "json").stdout)
    assert told["a"] == "demo RM_cold"
    assert told["gaps"][0]["difference_ms"] == 1500.0


def test_a_room_is_compared_with_the_many(tracer: Tracer, store: Path) -> None:
    keep(store, "RM_cold", cold())
    for number in range(9):
        keep(store, f"RM_{number}", call())
    ran = tracer("compare", "RM_cold", "--with", "stats", "--store", store, "--format", "json")
    assert (ran.returncode, ran.stderr) == (0, "")
    told = json.loads(ran.stdout)
    counted = ["measured", None]
    assert (told["b"], told["counted"], told["b_jobs"]) == ("the latest 11 rooms", counted, 11)
    assert told["gaps"][0]["difference_ms"] == 1500.0
    assert "p50 of B" in tracer("compare", "RM_cold", "--with", "stats", "--store", store).stdout


def test_the_many_are_counted_not_guessed(tracer: Tracer, store: Path) -> None:
    told = tracer("compare", "demo", "--with", "stats", "--store", store).stdout
    assert told.splitlines()[1].startswith("rooms B  the latest room ")


@pytest.mark.parametrize("room", ["nobody", "\x1b[31mred"])
def test_an_unknown_room_is_one_line_and_exit_1(tracer: Tracer, store: Path, room: str) -> None:
    assert "no room" in tracer.fails(1, "compare", ROOM, room, "--store", store)
    assert "no room" in tracer.fails(1, "compare", room, "--with", "stats", "--store", store)


@pytest.mark.parametrize("arguments", [["a"], ["a", "b", "--with", "stats"], []])
def test_what_to_compare_with_is_named_once(tracer: Tracer, arguments: list[str]) -> None:
    line = tracer.misused("compare", *arguments)
    assert "two rooms" in line if arguments else "'A'" in line
