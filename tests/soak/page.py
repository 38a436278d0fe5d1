"""docs/soak.md: each part's numbers between two markers, with when and on what they were measured."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.local_servers.livekit import VERSION as SERVER

if TYPE_CHECKING:
    from tests.soak.options import Report

__all__ = ["PAGE", "write"]

PAGE = Path(__file__).parents[2] / "docs" / "soak.md"
GIB = 1024**3


def write(part: str, report: Report, page: Path = PAGE) -> None:
    """Put a part's report in the place of the one before. Raises ValueError where the page has no such place."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {part}:begin -->\n", f"<!-- {part}:end -->"
    filled, count = re.subn(
        f"{begin}.*?{end}", lambda _: f"{begin}{report.text}\n\n{_measured()}\n{end}", text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"{page.name} has no part {part!r}: it needs {begin.strip()} and {end}")
    page.write_text(filled, encoding="utf-8")


def _measured() -> str:
    """When, with which versions, and on what."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    load = os.getloadavg()[2]
    return (
        f"<sub>{datetime.now(UTC):%Y-%m-%d}, livekit-server {SERVER.removeprefix('v')}, livekit-agents"
        f" {version('livekit-agents')}, Python {platform.python_version()}; {platform.system()} with"
        f" {os.cpu_count()} cores and {memory:.0f} GiB of memory, load average {load:.1f} in the last 15 minutes.</sub>"
    )
