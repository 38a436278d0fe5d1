"""`tracer learn 1` as its user runs it, on a server of its own.

That every step is right about its call is tested where the scenarios are played.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.live.test_demo import LIMIT, environment, processes_of

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.local_servers import LiveKitServer


def test_the_first_step_asks_makes_the_call_and_shows_the_order(livekit: LiveKitServer, tmp_path: Path) -> None:
    env = environment(livekit, tmp_path) | {"XDG_STATE_HOME": str(tmp_path / "state"), "COLUMNS": "80"}

    def learn(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tracer", "learn", *arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    shown = learn("1", "--answer", "3,6,4,1")
    question, _, answer = shown.partition("starting livekit-server")
    assert "In which order do these happen?" in question
    # The second and third are left out of the guess: the server requests the agent while the caller joins.
    rows = answer.partition("your place\n")[2].splitlines()[:6]
    assert [row[:4].split() for row in rows] == [["✓", "1"], ["✗", "2"], ["✗", "3"], ["✓", "4"], ["✓", "5"], ["✗", "6"]]
    assert "Their tier is gold." in " ".join(answer.split()), "what the real agent was told of its caller"
    assert max(map(len, (line for line in shown.splitlines() if "tracer" not in line))) <= 80
    assert not processes_of(tmp_path)
    assert "✓ 1  One call" in learn()
