"""A bar chart as SVG: what each server took of each body."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["plot"]

COLOURS = ("#2f81f7", "#8b949e", "#bdc4cc", "#d29922")
WIDTH, LEFT, RIGHT = 720, 190, 70
BAR, GAP, HEAD = 18, 26, 24


def plot(rows: Sequence[tuple[str, str, float]]) -> str:
    """Of rows (body, server, how many a second), those of one body beside each other."""
    most = max(a_second for *_, a_second in rows)
    servers = list(dict.fromkeys(server for _, server, _ in rows))
    parts, y = [], 8
    for body, group in groupby(rows, key=lambda row: row[0]):
        y += HEAD
        parts.append(f'<text class="body" x="8" y="{y - 8}">{escape(body)}</text>')
        for _, server, a_second in group:
            width = max(2, round(a_second / most * (WIDTH - LEFT - RIGHT)))
            colour = COLOURS[servers.index(server)]
            parts += [
                f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(server)}</text>',
                f'<rect x="{LEFT}" y="{y}" width="{width}" height="{BAR - 4}" fill="{colour}"/>',
                f'<text x="{LEFT + width + 6}" y="{y + 12}">{a_second:,.0f}</text>',
            ]
            y += BAR
        y += GAP - BAR
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img">',
            "<title>Spans and webhooks acknowledged a second</title>",
            "<style>text{font:12px system-ui,sans-serif;fill:#24292f}.body{font-weight:600}",
            "@media (prefers-color-scheme:dark){text{fill:#e6edf3}}</style>",
            *parts,
            "</svg>\n",
        ]
    )
