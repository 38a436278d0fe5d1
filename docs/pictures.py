"""Draws the pictures of these pages: makes the call of each scenario, and writes as SVG what a terminal shows of it.

    python -m docs.pictures [SCENARIO…]

A call takes about ten seconds. Its times are those of this machine: draw where nothing else runs.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.pictures import DARK
from tracer.demo.scenarios import SCENARIOS
from tracer.store.load import read_timeline
from tracer.view.terminal import TimelineView
from tracer.view.write import without_fonts

DOCS = Path(__file__).parent
WIDTH = 112
"""Columns of a picture."""


def draw(name: str) -> None:
    """Write the picture of this scenario."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "tracer.db"
        tracer("demo", name, "--store", store)
        view = TimelineView(read_timeline(str(store), "demo"))
    out = Console(file=io.StringIO(), record=True, width=WIDTH, force_terminal=True, color_system="truecolor")
    out.print(view)
    picture = without_fonts(out.export_svg(title="tracer timeline demo", theme=DARK))
    (DOCS / f"{name}.svg").write_text(picture, encoding="utf-8")


def tracer(*arguments: str | Path) -> None:
    """Run a command of the tracer of this Python."""
    subprocess.run([sys.executable, "-m", "tracer", *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603


if __name__ == "__main__":
    for name in sys.argv[1:] or SCENARIOS:
        draw(name)
