"""Every page of the site: the prose of the repository, and what is made from the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from docs.website import calls, commands
from docs.website.markdown import anchor
from tracer.check import RULES
from tracer.kinds import Kind
from tracer.why import CAUSES

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ROOT", "SHOWN", "made", "pages", "pictures"]

ROOT = Path(__file__).parents[2]
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "CHANGELOG.md": "changelog.md",
    "dashboards/README.md": "dashboards.md",
}
"""Pages that are not in docs/, and what they are called in the site."""
CONTENTS = {
    "Start": ("tutorial", "setup", "versions"),
    "Use": ("commands", "reading-a-timeline", "page", "causes", "assistants", "ci", "notebooks"),
    "Understand": ("lifecycle", "words", "moments", "rules"),
    "Operate": ("deployment", "metrics", "benchmarks", "dashboards", "privacy", "security-policy", "security"),
    "Reference": ("json", "environment", "configuration", "keys"),
    "Proof": ("soak", "chaos"),
    "Project": ("architecture", "contributing", "changelog"),
}
"""What the menu shows, in its order. A page that is not named here comes under MORE."""
MORE = "More"
OUTSIDE_THE_MENU = "---\norphan: true\n---\n\n"
"""Before pages that only a table leads to: a menu of them all would be on every page."""
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")
"""A link or a picture that leads to a file."""
SHOWN = re.compile(r'\b(src|srcset)="(?![a-z]+:)([^"]+)"')
"""A picture of a page's own HTML."""
CELL = re.compile(r"(?<=\| )`([\w.-]+)`(?= \|)")
"""A name alone in a cell of a table."""


def pages() -> dict[str, str]:
    """The text of every page by its place in the site, as ``causes/no-worker.md``, with the links between them."""
    own = made()
    texts = {place: moved(file) for place, file in places().items()} | own
    for place, folder in (("causes.md", "causes"), ("moments.md", "kinds")):
        texts[place] = linked(texts[place], folder, own)
        texts |= {name: OUTSIDE_THE_MENU + text for name, text in own.items() if name.startswith(f"{folder}/")}
    for folder in ("commands", "rules"):
        texts[f"{folder}.md"] += _menu("", [name for name in own if name.startswith(f"{folder}/")])
    top = [place.removesuffix(".md") for place in sorted(texts) if "/" not in place and place != "index.md"]
    named = {name for names in CONTENTS.values() for name in names}
    for caption, names in (CONTENTS | {MORE: tuple(name for name in top if name not in named)}).items():
        texts["index.md"] += _menu(caption, [name for name in names if name in top])
    return texts


def made() -> dict[str, str]:
    """The pages that are made from the code: commands, causes, kinds, rules and keys."""
    texts = {"rules.md": calls.rule_table(), "words.md": calls.word_table(), "keys.md": calls.key_table()}
    texts |= {f"causes/{one.name}.md": calls.cause(one) for one in CAUSES}
    texts |= {f"kinds/{one}.md": calls.kind(one) for one in Kind}
    texts |= {f"rules/{one.name}.md": calls.rule(one) for one in RULES}
    for name, context in commands.commands():
        texts[f"commands/{name.replace(' ', '-')}.md"] = commands.page(name, context, _described(name))
    return texts


def places() -> dict[str, Path]:
    """Where in the site each page of the repository stands, by its place there."""
    return {place: ROOT / file for file, place in ELSEWHERE.items()} | {
        file.name: file for file in sorted((ROOT / "docs").glob("*.md"))
    }


def pictures() -> dict[str, Path]:
    """Files that pages show, by their place in the site."""
    docs = ROOT / "docs"
    return {
        file.relative_to(docs).as_posix(): file for end in ("svg", "png") for file in sorted(docs.rglob(f"*.{end}"))
    }


def moved(file: Path) -> str:
    """A page's text with its links as they are in the site; what is not part of it is linked in the repository."""
    there = {path: place for place, path in (places() | pictures()).items()}

    def link(found: re.Match[str]) -> str:
        target = (file.parent / found[1]).resolve()
        place = there.get(target)
        if not target.exists():
            return found[0]  # Sphinx says so
        if place is None:
            kind = "tree" if target.is_dir() else "blob"
            place = f"{repository()}/{kind}/main/{target.relative_to(ROOT).as_posix()}"
        return f"]({place}{found[2] or ''})"

    def picture(found: re.Match[str]) -> str:
        return f'{found[1]}="{there.get((file.parent / found[2]).resolve(), found[2])}"'

    return SHOWN.sub(picture, LINK.sub(link, file.read_text(encoding="utf-8")))


def repository() -> str:
    """The address of the repository."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["urls"]["Changelog"]).partition("/blob/")[0]


def linked(text: str, folder: str, known: Iterable[str]) -> str:
    """The text with a link at each name in a table that has a page in this folder."""

    def link(found: re.Match[str]) -> str:
        place = f"{folder}/{found[1]}.md"
        return f"[`{found[1]}`]({place})" if place in known else found[0]

    return CELL.sub(link, text)


def _described(command: str) -> str:
    """Where ``commands.md`` says what a command is for."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    heading = re.search(rf"^## (.*\btracer {re.escape(command)}\b.*)$", text, re.MULTILINE)
    where = f"#{anchor(heading[1])}" if heading else ""
    return f"[What it is for, and how to read what it says](../commands.md{where})"


def _menu(caption: str, names: Iterable[str]) -> str:
    """Entries of the menu at the side."""
    entries = "\n".join(name.removesuffix(".md") for name in names)
    told = f":caption: {caption}\n" if caption else ""
    return f"\n```{{toctree}}\n:hidden:\n{told}\n{entries}\n```\n" if entries else ""
