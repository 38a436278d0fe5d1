"""Imports point one way, as docs/architecture.md says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PURE = ("timeline", "clocks", "check", "why", "latency")
ENTRANCES = {"__init__", "__main__"}
"""Modules that only lead to others."""


@cache
def allowed() -> dict[str, set[str]]:
    """The table of the architecture: what each package may import."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    section = text.partition("\n## Imports\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ((?:`\w+` ?)+) \|(.*)\|$", section, re.MULTILINE)
    names = re.compile(r"`(\w+)`")
    return {name: set(names.findall(may)) for packages, may in rows for name in names.findall(packages)}


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, those for types and those within functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"tracer.{alias.name}" for alias in node.names if node.module == "tracer")
            yield node.module


def files() -> Iterator[tuple[str, Path]]:
    """Every file, with the package or the single module it belongs to."""
    for path in sorted((ROOT / "tracer").rglob("*.py")):
        yield path.relative_to(ROOT / "tracer").with_suffix("").parts[0], path


def test_the_table_names_every_package() -> None:
    assert {name for name, _ in files()} - ENTRANCES == set(allowed())


def test_nothing_is_imported_that_the_table_does_not_allow() -> None:
    for package, path in files():
        if package in ENTRANCES:
            continue
        for module in imports(path):
            root, _, rest = module.partition(".")
            other = rest.partition(".")[0]
            if root == "tracer" and other in allowed() and other != package:
                assert other in allowed()[package], f"{path.relative_to(ROOT)} imports {module}"


def test_there_is_no_circle() -> None:
    TopologicalSorter(allowed()).prepare()


@pytest.mark.parametrize("package", PURE)
def test_what_is_pure_imports_nothing_that_is_not(package: str) -> None:
    may = {*PURE, "errors", "units", "keys", "ids", "kinds", "moment"}
    for owner, path in files():
        if owner == package:
            for module in imports(path):
                root, _, rest = module.partition(".")
                ours, inside = root == "tracer", rest.partition(".")[0]
                good = inside in {*may, ""} if ours else root in sys.stdlib_module_names
                assert good, f"{path.relative_to(ROOT)} imports {module}"


def test_the_timeline_command_imports_nothing_that_takes_long() -> None:
    code = "import sys, tracer.cli.timeline, tracer.store.load, tracer.view.write; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not [name for name in done.stdout.split() if name.split(".")[0] in ("livekit", "opentelemetry", "aiohttp")]
