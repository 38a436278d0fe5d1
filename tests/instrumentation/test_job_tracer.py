from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

JOB = Path(__file__).parent / "job_of_a_user.py"
WAYS = (
    "nothing",
    "set",
    "nothing, then set",
    "nothing, then global",
    "another class",
    "of one processor",
    "drops all",
    "drops one",
    "no processors",
)
"""In which a user sets up their provider: before the job or, after "then", in its entrypoint."""
OF_LIVEKIT = ["agent_session", "job_entrypoint", "job_shutdown", "llm_node", "room_connect", "room_disconnect"]


@pytest.fixture(scope="module")
def ran() -> dict[tuple[str, bool], dict[str, Any]]:
    done = subprocess.run([sys.executable, str(JOB), *WAYS], capture_output=True, text=True, check=False, timeout=300)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 2 * len(WAYS), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("your sampler drops spans") == 2, "once each"
    assert done.stderr.count("takes no span processor") == 1
    return {(how, traced): found for how, traced, found in lines}


@pytest.mark.parametrize("how", WAYS)
def test_the_user_gets_and_sees_what_they_do_without_tracer(
    ran: dict[tuple[str, bool], dict[str, Any]], how: str
) -> None:
    assert ran[how, True]["user"] == ran[how, False]["user"]
    assert ran[how, True]["seen"] == ran[how, False]["seen"]
    assert len(ran[how, False]["user"]) >= 6 or how in ("nothing", "drops all")


@pytest.mark.parametrize("how", [how for how in WAYS if how != "no processors"])
def test_what_livekit_agents_traces_is_reported_whole(ran: dict[tuple[str, bool], dict[str, Any]], how: str) -> None:
    above = {name: parent for name, parent, *_ in ran[how, True]["tracer"]}
    assert sorted(above.keys() & set(OF_LIVEKIT)) == OF_LIVEKIT
    assert above["job_entrypoint"] is None
    assert above["room_connect"] == above["agent_session"] == above["job_shutdown"] == "job_entrypoint"
    assert above["room_disconnect"] == "job_shutdown"
    assert above["llm_node"] == ("my_span" if "my_span" in above else "agent_session")
    assert "missing" not in above.values()


@pytest.mark.parametrize("how", ["drops all", "drops one", "nothing"])
def test_what_people_said_is_not_taken_out_of_a_span_that_the_users_sampler_drops(
    ran: dict[tuple[str, bool], dict[str, Any]], how: str
) -> None:
    [keys] = [keys for name, *_, keys in ran[how, True]["tracer"] if name == "agent_session"]
    assert "lk.pii.participant_identity" in keys
    assert ("lk.pii.chat" in keys) is (how == "nothing")
