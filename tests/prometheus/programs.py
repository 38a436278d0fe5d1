"""Debian's Prometheus and promtool, where they are installed: apt-get install prometheus."""

from __future__ import annotations

import json
import shutil
import time
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from tracer.local_servers import Process, child_environment, free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROMETHEUS = shutil.which("prometheus")
"""None where it is not installed."""
PROMTOOL = shutil.which("promtool")
START = 30.0
"""Seconds it may take to start."""


class Prometheus(Process):
    """A server that scrapes one receiver twice a second, exemplars included."""

    def __init__(self, folder: Path, receiver: str, token: str) -> None:
        self.port = free_port()
        (folder / "token").write_text(token)
        config = {
            "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [],
            "scrape_configs": [
                {
                    "job_name": "tracer",
                    "static_configs": [{"targets": [receiver]}],
                    "authorization": {"credentials_file": str(folder / "token")},
                }
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        command = [
            PROMETHEUS or "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--enable-feature=exemplar-storage",
            "--log.level=warn",
        ]
        super().__init__("prometheus", command, folder=folder, environment=child_environment())

    def get(self, path: str, **values: str) -> Any:
        """The data of an answer of its API."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(values)}"
        with opener.open(url, timeout=10) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        return told["data"]

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The samples that an expression gives now."""
        found: list[dict[str, Any]] = self.get("query", query=expr)["result"]
        return found

    def wait_for(self, expr: str, condition: Callable[[float], bool], limit: float = START) -> None:
        """Until the first sample of an expression is as wanted."""
        end = time.monotonic() + limit
        while not any(condition(float(sample["value"][1])) for sample in self.query(expr)):
            assert time.monotonic() < end, f"{expr} was not as expected within {limit:g} s: {self.query(expr)}"
            time.sleep(0.1)
