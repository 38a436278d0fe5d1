"""axe-core, which finds what keeps people with a screen reader, or with weak eyes, from using a page."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser import Tab

__all__ = ["complaints"]

LOOK = """axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}).then((found) =>
  found.violations.flatMap((one) => one.nodes.map((node) =>
    `${one.id}: ${one.help}: ${node.target.join(" ")}: ${node.failureSummary}`)))"""


async def complaints(tab: Tab) -> list[str]:
    """What it finds on the page as it is now: which rule, and where."""
    if not await tab.run("'axe' in window"):
        source = resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        await tab.run(f"{source}\n;0")
    found: list[str] = await tab.run(LOOK)
    return found
