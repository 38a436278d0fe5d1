"""The documentation as a site: it is whole, no link leads nowhere, and nothing in it is fetched from elsewhere."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest

from docs.website.__main__ import build
from docs.website.calls import documented_keys
from docs.website.commands import commands
from docs.website.markdown import prose
from docs.website.pages import pages
from tests.browser import CHROMIUM, Tab, chromium
from tests.receiving import LIMIT
from tracer import keys
from tracer.check import RULES
from tracer.kinds import Kind
from tracer.why import CAUSES

ROOT = Path(__file__).parents[1]
PAGES = pages()


def test_every_command_and_each_of_its_options_is_on_its_page() -> None:
    for name, context in commands():
        text = PAGES[f"commands/{name.replace(' ', '-')}.md"]
        for option in context.command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.help, (name, option.name)
                assert f"`{', '.join(option.opts)}" in text, (name, option.name)


def test_an_option_within_help_is_code() -> None:
    assert prose("with --server or `--lost x`: a--b, x_y") == "with `--server` or `--lost x`: a--b, x\\_y"
    assert "With `--server`: agree at once." in PAGES["commands/demo.md"]


def test_every_cause_rule_and_kind_has_a_page_that_a_table_leads_to() -> None:
    for one in CAUSES:
        assert f"](causes/{one.name}.md)" in PAGES["causes.md"]
        assert one.advice[:20] in PAGES[f"causes/{one.name}.md"].replace("\\", "")
        assert type(one).__doc__, one.name
    for kind in Kind:
        assert f"](kinds/{kind}.md)" in PAGES["moments.md"]
    for rule in RULES:
        assert f"](rules/{rule.name}.md)" in PAGES["rules.md"]


def test_every_key_says_what_it_is() -> None:
    texts = documented_keys()
    assert set(texts) == {getattr(keys, name) for name in keys.__all__ if name.isupper()}
    assert [key for key, text in texts.items() if not text] == []
    assert [key for key in texts if f"| `{key}` |" not in PAGES["keys.md"]] == []


@pytest.mark.slow
def test_a_link_that_leads_nowhere_fails_the_site(tmp_path: Path) -> None:
    assert build(tmp_path / "broken", {"index.md": "# Here\n\n[There](there.md)\n"}) != 0
    assert build(tmp_path / "anchor", {"index.md": "# Here\n\n[There](#there)\n"}) != 0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make site` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "docs.website", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


class Resources(HTMLParser):
    """What a page has its reader fetch: not what it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {"src", "srcset", "data", "poster"} | ({"href"} if tag in ("link", "image", "use") else set())
        self.found += [value for name, value in attrs if name in names and value]


@pytest.mark.slow
@pytest.mark.xdist_group("site")
def test_nothing_in_the_site_comes_from_elsewhere(site: Path) -> None:
    found = 0
    for page in site.rglob("*.html"):
        resources = Resources()
        resources.feed(page.read_text(encoding="utf-8"))
        found += len(resources.found)
        assert [one for one in resources.found if re.match(r"([a-z]+:)?//", one)] == [], page
        files = [one.partition("?")[0] for one in resources.found if not one.startswith(("data:", "#"))]
        assert [one for one in files if not (page.parent / one).exists()] == [], page
    assert found > 1000
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?([a-z]+:)?//|@import", sheet.read_text(encoding="utf-8")), sheet


@pytest.mark.slow
@pytest.mark.xdist_group("site")
@pytest.mark.skipif(not CHROMIUM and not os.environ.get("CI"), reason="no chromium: apt-get install chromium")
def test_it_opens_and_is_searched_without_a_network(site: Path) -> None:
    async def look(tab: Tab) -> None:
        for page in ("index", "tutorial", "moments", "commands/serve", "causes/no-worker", "architecture"):
            for width, dark in ((1400, False), (1600, False), (390, True)):
                await tab.open((site / f"{page}.html").as_uri(), width=width, dark=dark)
                await tab.until("document.readyState === 'complete' && !!document.querySelector('article h1')")
                assert await tab.run("document.documentElement.scrollWidth") <= width, (page, width)
        await tab.open((site / "commands/mcp.html").as_uri(), width=360)
        broken = (
            "[...document.querySelectorAll('article code .pre')].filter((one) => /^--[a-z-]+$/.test(one.textContent))"
        )
        broken += ".map((one) => [one.textContent, one.getBoundingClientRect().height])"
        await tab.until(
            "document.readyState === 'complete' && document.querySelectorAll('article code .pre').length > 10"
        )
        heights = await tab.run(broken)
        assert len(heights) > 5
        assert max(height for _, height in heights) < 1.5 * min(height for _, height in heights), heights
        await tab.open((site / "search.html").as_uri() + "?q=ghost+room")
        found = await tab.until("[...document.querySelectorAll('.search a')].map((one) => one.href).join(' ')")
        assert "causes/ghost-room.html" in found
        assert tab.complaints == []
        assert [asked for asked in tab.asked if not asked.startswith((site.as_uri(), "data:", "about:blank"))] == []

    async def main() -> None:
        async with asyncio.timeout(6 * LIMIT), chromium() as tab:
            await look(tab)

    asyncio.run(main())
