"""Draws the pictures of these pages: makes the call of each scenario, and writes its timeline as SVG.

    python docs/pictures.py [SCENARIO…]

A call takes about ten seconds. Its times are those of this machine: draw where nothing else runs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tracer.demo.scenarios import SCENARIOS

DOCS = Path(__file__).parent


def draw(name: str) -> None:
    """Write the picture of this scenario."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "tracer.db"
        tracer("demo", name, "--store", store)
        tracer("timeline", "demo", "--store", store, "--format", "svg", "-o", DOCS / f"{name}.svg")


def tracer(*arguments: str | Path) -> None:
    """Run a command of the tracer of this Python."""
    subprocess.run([sys.executable, "-m", "tracer", *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603


if __name__ == "__main__":
    for name in sys.argv[1:] or SCENARIOS:
        draw(name)
