"""The colours of a terminal on a light ground."""

from __future__ import annotations

import pytest
from rich.style import Style

from tracer.view.budget import COLOURS
from tracer.view.chart import AGENTS, STYLES

GROUNDS = {
    "GNOME": (
        "ffffff",
        "171421 c01c28 26a269 a2734c 12488b a347ba 2aa1b3 d0cfcc 5e5c64 f66151 33da7a e9ad0c 2a7bde c061cb",
    ),
    "macOS": (
        "ffffff",
        "000000 990000 00a600 999900 0000b2 b200b2 00a6b2 bfbfbf 666666 e50000 00d900 e5e500 0000ff e500e5",
    ),
    "VS Code": (
        "ffffff",
        "000000 cd3131 107c10 949800 0451a5 bc05bc 0598bc 555555 666666 cd3131 14ce14 b5ba00 0451a5 bc05bc",
    ),
    "One Half": (
        "fafafa",
        "383a42 e45649 50a14f c18401 0184bc a626a4 0997b3 fafafa 4f525e df6c75 98c379 e4c07a 61afef c577dd",
    ),
    "Solarized": (
        "fdf6e3",
        "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 002b36 cb4b16 586e75 657b83 839496 6c71c4",
    ),
}
"""The ground of light terminals, and their first colours by number."""
LEAST = 2.2
"""The least contrast: as of a bar with its words beside it."""


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("terminal", GROUNDS)
@pytest.mark.parametrize("style", sorted({*COLOURS.values(), *STYLES.values(), *AGENTS}))
def test_a_colour_is_seen_on_the_ground_of_light_terminals(style: str, terminal: str) -> None:
    used = Style.parse(style).color
    if used is None:
        return
    ground, palette = GROUNDS[terminal]
    assert used.number is not None
    light, dark = luminance(ground), luminance(palette.split()[used.number])
    assert (light + 0.05) / (dark + 0.05) > LEAST
