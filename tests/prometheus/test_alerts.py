"""dashboards/alerts.yml, as Prometheus's own tool judges it; and the form of dashboards/grafana.json."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.prometheus.programs import PROMTOOL

ROOT = Path(__file__).parents[2]
BOARD: dict[str, Any] = json.loads((ROOT / "dashboards" / "grafana.json").read_text(encoding="utf-8"))
ALERTS = (ROOT / "dashboards" / "alerts.yml").read_text(encoding="utf-8")
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
DOCS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="needs promtool: apt-get install prometheus")


def promtool(*arguments: str) -> str:
    ran = subprocess.run(
        [PROMTOOL or "", *arguments],
        cwd=ROOT / "tests" / "prometheus",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@needs_promtool
def test_the_rules_are_rules() -> None:
    assert "9 rules found" in promtool("check", "rules", "--lint-fatal", str(ROOT / "dashboards" / "alerts.yml"))


@needs_promtool
def test_alerts_fire_when_they_should_and_not_otherwise() -> None:
    promtool("test", "rules", "alerts_test.yml")


def test_every_alert_is_tried() -> None:
    tried = (ROOT / "tests" / "prometheus" / "alerts_test.yml").read_text(encoding="utf-8")
    for alert in re.findall(r"- alert: (\w+)", ALERTS):
        assert f"alertname: {alert}" in tried, alert


def test_panels_do_not_cover_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def test_every_panel_says_what_it_shows() -> None:
    for panel in PANELS:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["targets"], panel["title"]
        assert panel["datasource"]["uid"] == "${source}"
    assert [one["name"] for one in BOARD["templating"]["list"]] == ["source", "agent"]


def test_every_metric_that_is_asked_for_is_documented() -> None:
    asked = {target["expr"] for panel in PANELS for target in panel["targets"]} | {ALERTS}
    for name in {name for expr in asked for name in re.findall(r"\btracer_\w+", expr)}:
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        short = family.replace("tracer_webhooks", "…").replace("tracer_otlp", "…")
        assert f"`{family}`" in DOCS or f"`{short}`" in DOCS, name
