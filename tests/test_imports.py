"""Imports point one way, and what only reads a room loads nothing slow."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.moments import call
from tests.receiving import LIMIT
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
GROUND = {"errors", "ids", "keys", "kinds", "labelled", "livekit_sources", "moment", "server_defaults", "units"}
READ = GROUND | {"timeline", "clocks"}
KEPT = GROUND | {"settings", "store"}

ALLOWED: dict[str, set[str]] = {
    "answers": set(),
    "errors": set(),
    "ids": set(),
    "keys": set(),
    "units": set(),
    "server_defaults": set(),
    "livekit_sources": set(),
    "kinds": {"livekit_sources"},
    "labelled": set(),
    "file_lock": set(),
    "reaching": set(),
    "moment": {"keys", "kinds", "units"},
    "configuration": {"errors"},
    "settings": {"configuration", "errors"},
    "server_fault": {"reaching", "settings", "units"},
    # Pure: neither clock nor store, neither environment nor view.
    "timeline": GROUND,
    "clocks": GROUND | {"timeline"},
    "check": READ,
    "why": READ,
    "latency": READ | {"why"},
    "explain": READ | {"check", "why", "latency"},
    # What comes in, is kept, and goes out.
    "store": GROUND | {"file_lock", "settings", "timeline", "latency"},
    "witness": KEPT | {"answers", "server_fault", "timeline"},
    "export": KEPT | {"answers", "reaching", "timeline", "clocks", "why", "witness"},
    # In the user's process.
    "instrumentation": GROUND | {"answers", "settings", "witness"},
    "zero_code": {"instrumentation"},
    # What runs programs and looks at set-ups.
    "local_servers": {"errors", "file_lock", "settings"},
    "doctor": READ | KEPT | {"answers", "reaching", "server_fault", "witness", "export", "local_servers"},
    # What people see.
    "view": READ | {"check", "why", "latency", "explain", "doctor", "store"},
    "service": READ | KEPT | {"answers", "reaching", "latency", "why", "witness", "export", "view"},
    "notebook": READ | KEPT | {"check", "latency", "service", "view", "why"},
    "tracer": {"errors", "instrumentation", "moment", "notebook", "timeline"},
    "demo": READ
    | KEPT
    | {"answers", "reaching", "server_fault", "tracer", "local_servers", "service", "why", "view", "export"},
    "learn": READ | {"settings", "why", "view", "demo"},
    "assistant": READ | KEPT | {"tracer", "check", "why", "latency", "explain", "export", "doctor", "service", "view"},
    "watch": READ | KEPT | {"why", "latency", "view"},
    "pytest_plugin": READ | KEPT | {"local_servers", "check", "latency", "view", "why"},
    "cli": READ
    | KEPT
    | {
        "answers",
        "server_fault",
        "tracer",
        "check",
        "why",
        "latency",
        "explain",
        "service",
        "export",
        "local_servers",
        "doctor",
        "assistant",
        "demo",
        "learn",
        "view",
        "watch",
        "witness",
    },
    "__main__": {"cli"},
}
"""For each package or module of ``tracer`` those that it may import, wherever and for whatever; what is imported stands
above what imports it."""

SLOW = {"aiohttp", "asyncio", "google", "livekit", "opentelemetry"}
"""Packages that take a tenth of a second or more to import."""


def modules() -> dict[str, Path]:
    """Every module of the package by its name."""
    found = {}
    for path in sorted((ROOT / "tracer").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows() -> Iterator[tuple[str, str]]:
    """Which module imports which, also in a function or for types only."""
    every = modules()
    for name, path in every.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((name, alias.name) for alias in node.names if alias.name in every)
            elif isinstance(node, ast.ImportFrom) and node.module in every:
                for alias in node.names:
                    member = f"{node.module}.{alias.name}"
                    yield name, member if member in every else node.module


def package(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def test_imports_go_only_where_they_may() -> None:
    assert {package(name) for name in modules()} <= ALLOWED.keys()
    wrong = {
        f"{one} imports {other}"
        for one, other in arrows()
        if package(one) != package(other) and package(other) not in ALLOWED[package(one)]
    }
    assert wrong == set()


def test_what_is_imported_stands_above_what_imports_it() -> None:
    order = list(ALLOWED)
    assert [
        (one, other) for one, others in ALLOWED.items() for other in others if order.index(other) >= order.index(one)
    ] == []


def test_no_import_leads_back() -> None:
    into: dict[str, set[str]] = defaultdict(set)
    for one, other in arrows():
        if not other.startswith(f"{one}."):  # a package may open what is in it
            into[one].add(other)
    try:
        list(TopologicalSorter(into).static_order())
    except CycleError as circle:
        pytest.fail(f"a circle of imports: {circle.args[1]}")


def loaded_by(code: str, packages: set[str]) -> set[str]:
    """Which of these packages a fresh interpreter has loaded after it ran the code."""
    report = f"import sys; print(*sorted({packages!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=False, timeout=3 * LIMIT
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return set(ran.stdout.splitlines()[-1].split())


def test_what_is_pure_loads_neither_view_nor_store() -> None:
    pure = [name for name in modules() if package(name) in {"timeline", "clocks", "check", "why", "latency", "explain"}]
    assert len(pure) > 20
    assert loaded_by(f"import {', '.join(pure)}", SLOW | {"click", "rich", "sqlite3"}) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["timeline", "demo"],
        ["timeline", "demo", "--format", "json"],
        ["check", "demo"],
        ["check", "demo", "--format", "json"],
        ["check", "demo", "--format", "junit"],
        ["why", "demo"],
        ["why", "demo", "--format", "json"],
        ["rooms"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_what_only_reads_a_store_loads_nothing_slow(tmp_path: Path, arguments: list[str]) -> None:
    path = tmp_path / "tracer.db"
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(call()))])
    code = f"""
import os
from tracer.cli import main
os.environ["TRACER_STORE"] = {str(path)!r}
try:
    main({arguments!r})
except SystemExit as done:
    assert not done.code, done.code
"""
    assert loaded_by(code, SLOW | {"pytest"}) == set()


def test_the_package_alone_loads_next_to_nothing() -> None:
    """An agent imports it, and so does every command."""
    assert loaded_by("import tracer", SLOW | {"click", "dataclasses", "rich", "sqlite3", "dotenv"}) == set()


def test_the_pytest_plugin_loads_nothing_slow() -> None:
    """It is loaded whenever anybody runs pytest."""
    assert loaded_by("import tracer.pytest_plugin", SLOW | {"click", "rich", "sqlite3"}) == set()
