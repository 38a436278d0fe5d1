"""The examples that others copy: what they name is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # comes with livekit-agents, its types do not

ROOT = Path(__file__).parents[1]
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / "examples" / "github-workflow.yml").read_text(encoding="utf-8"))
JOB: dict[str, Any] = WORKFLOW["jobs"]["calls"]
SCRIPTS = {step["name"]: step["run"] for step in JOB["steps"] if "run" in step}


def test_the_workflow_is_one() -> None:
    assert WORKFLOW[True].keys() == {"push", "pull_request"}  # `on` is true in YAML 1.1
    for step in JOB["steps"]:
        assert ("run" in step) != ("uses" in step)
        assert step.keys() <= {"name", "if", "run", "uses", "with"}


def test_its_scripts_are_bash() -> None:
    for script in SCRIPTS.values():
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=10)


def test_its_server_sends_webhooks_to_where_the_fixture_listens() -> None:
    config = SCRIPTS["Start LiveKit"].partition("<<CONFIG\n")[2].partition("CONFIG\n")[0]
    for name, value in JOB["env"].items():
        config = config.replace(f"${name}", value)
    server = yaml.safe_load(config)
    assert server["keys"] == {JOB["env"]["LIVEKIT_API_KEY"]: JOB["env"]["LIVEKIT_API_SECRET"]}
    assert len(JOB["env"]["LIVEKIT_API_SECRET"]) >= 32
    assert server["webhook"]["api_key"] in server["keys"]
    (port,) = re.findall(r"--tracer-port (\d+)", SCRIPTS["Make calls"])
    assert server["webhook"]["urls"] == [f"http://127.0.0.1:{port}/webhook"]


def test_its_server_is_the_one_that_is_tested() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    (image,) = set(re.findall(r"livekit/livekit-server:\S+", SCRIPTS["Start LiveKit"]))
    assert image in compose
