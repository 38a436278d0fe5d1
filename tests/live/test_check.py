"""`tracer check` on real calls: none is out of order, whatever the agent's clock shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.live import calls
from tests.live.calls import LIMIT
from tracer.check import Outcome, check
from tracer.demo.stage import Stage
from tracer.local_servers import child_environment
from tracer.moment import Kind
from tracer.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from tracer.local_servers import LiveKitServer

ROOT = Path(__file__).parents[2]
HOUR = 3600
USERS_TEST = """
import pytest

from tests.live import calls
from tracer.demo.stage import Stage
from tracer.settings import LiveKit


def test_my_agent(livekit_tracer, tmp_path):
    server = LiveKit.from_env()
    with Stage(tmp_path, livekit_tracer.store, int(livekit_tracer.endpoint.rpartition(":")[2])) as stage:
        stage.agent(server)  # with TRACER_ENDPOINT=livekit_tracer.endpoint
        rooms = ["checked", "again", "once-more"]
        for room in rooms:
            calls.call(stage, server, room, 3.0)
            timeline = livekit_tracer.wait_until_over(room)
            assert len(timeline.jobs) == 1
    livekit_tracer.assert_ready_within("checked", seconds=60)
    livekit_tracer.assert_ready_within(*rooms, seconds=60, percentile=95)
    with pytest.raises(AssertionError) as late:
        livekit_tracer.assert_ready_within(*rooms, seconds=0.05, percentile=95)
    said = str(late.value)
    assert "3 of 3 agents were not ready within 0.05 s, and 95 % of them had to be" in said
    assert all(f"room {room!r}: ready after " in said for room in rooms)
    assert "LiveKit server" in said and "dispatch created" in said, said  # where the time went
    checked = livekit_tracer.assert_order("checked")
    assert [judgement.summary for judgement in checked.judgements if judgement.answer != "holds"] == []
    assert all(offset.bounded and not offset.off for offset in checked.clocks.offsets.values())
"""


def test_a_users_own_test_makes_a_call_and_asserts_on_its_order(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    (tmp_path / "test_users.py").write_text(USERS_TEST)
    server = livekit.settings
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "--tracer-port", str(webhook_port), "test_users.py"],
        cwd=tmp_path,
        env=child_environment(
            LIVEKIT_URL=server.url,
            LIVEKIT_API_KEY=server.api_key,
            LIVEKIT_API_SECRET=server.api_secret,
            PYTHONPATH=str(ROOT),
        ),
        capture_output=True,
        text=True,
        timeout=3 * LIMIT,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


def tracer(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return subprocess.run(
        [sys.executable, "-m", "tracer", *arguments, "--store", str(folder / "check.db")],
        env=child_environment(PATH=path, TMPDIR=str(folder)),
        capture_output=True,
        text=True,
        timeout=3 * LIMIT,
        check=False,
    )


@pytest.mark.parametrize("scenario", ["two-callers", "explicit"])
def test_a_scenario_is_in_order(livekit: LiveKitServer, tmp_path: Path, scenario: str) -> None:
    (tmp_path / "livekit-server").symlink_to(livekit.program.path)
    assert tracer("demo", scenario, folder=tmp_path).returncode == 0
    ran = tracer("check", "demo", "--format", "json", folder=tmp_path)
    assert ran.returncode == 0, ran.stdout
    room: dict[str, Any]
    [room] = json.loads(ran.stdout)["rooms"]
    assert [rule["summary"] for rule in room["rules"] if rule["answer"] != "holds"] == []
    assert [clock["off"] or clock["contradictory"] for clock in room["clocks"]] == [False, False]


def test_an_agents_clock_an_hour_off_is_shown_and_nothing_is_violated(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    with Stage(tmp_path, tmp_path / "check.db", webhook_port) as stage:
        receiver = stage.serve(livekit.settings)
        stage.agent(livekit.settings, Path(__file__).parent / "agents" / "unwell.py", SHIFT=str(HOUR))
        calls.call(stage, livekit.settings, "off", 3.0)

        def over() -> bool:
            timeline = stage.timeline("off")
            return bool(timeline.room.finished) and all(job.at(Kind.JOB_ENDED) for job in timeline.jobs)

        receiver.wait_until(over, LIMIT, what="told of the end")
        checked = check(stage.timeline("off"))
    assert [verdict.sentence for verdict in checked.violated] == []
    assert checked.judgements[9].answer is Outcome.HOLDS
    [(clock, offset)] = [known for known in checked.clocks.offsets.items() if known[0].kind == "agent"]
    assert clock.host
    assert offset.off
    assert offset.least is not None
    assert offset.most is not None
    assert HOUR * NS_PER_S - 2 * NS_PER_S < offset.least < offset.most < HOUR * NS_PER_S + 100 * NS_PER_MS
