"""What the documentation names is there, and what is there is in the documentation.

That its commands do what it says is in tests/live/test_readme.py.
"""

from __future__ import annotations

import ast
import re
import shlex
from contextlib import closing
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from docs import tables
from docs.website.commands import commands, examples
from tests.moments import ROOM, call
from tests.why.cases import in_room, with_facts
from tracer import keys
from tracer.cli import cli, main
from tracer.demo.failures import FAILURES
from tracer.demo.scenarios import SCENARIOS
from tracer.moment import Kind
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.why import CAUSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    ROOT / "dashboards/README.md",
    ROOT / "tests/calls/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
TEXT = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
EVERYTHING = "\n".join(TEXT.values())
LONGEST_README = 120


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", TEXT)
def test_every_link_leads_somewhere(name: str) -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", TEXT[name]):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", tables.PAGES)
def test_tables_are_what_the_code_makes(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for name in tables.PAGES[page]:
        assert f"<!-- {name}:begin -->" in text
    assert tables.filled(page) == text, "out of date: python docs/tables.py"


def test_every_page_is_reached_from_the_readme() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in TEXT["README.md"], page.name


def test_every_threat_has_a_test_that_is_there() -> None:
    rows = [line for line in TEXT["docs/security.md"].splitlines() if re.match(r"\| (?!threat )[^-]", line)]
    assert rows
    for row in rows:
        tests = re.findall(r"\[`(test_\w+)`\]\(\.\./(tests/\S+\.py)\)", row)
        assert tests, row
        for name, path in tests:
            assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), name


def test_the_readme_is_short() -> None:
    assert len(TEXT["README.md"].splitlines()) <= LONGEST_README


def test_every_scenario_has_its_picture() -> None:
    assert {path.stem for path in (ROOT / "docs").glob("*.svg")} == set(SCENARIOS)


def test_every_cause_is_made_by_a_scenario_or_at_least_named() -> None:
    names = {cause.name for cause in CAUSES}
    assert {one.cause for one in FAILURES.values()} <= names
    for name in re.findall(r"^\|.*\| `([a-z-]+)`(?:, `[a-z-]+`)* \|$", TEXT["docs/lifecycle.md"], re.MULTILINE):
        assert name in names, name


def test_every_command_has_help_an_entry_and_no_option_that_is_not_there() -> None:
    page = TEXT["docs/commands.md"]
    every = {"--help", "--version"}
    with click.Context(cli) as context:
        for name in cli.list_commands(context):
            command = cli.get_command(context, name)
            assert command is not None
            assert command.help, name
            assert re.search(rf"^## .*tracer {name}\b", page, re.MULTILINE), name
            every |= {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    others = {
        "--tracer-port",
        "--build",
        "--set",
        "--no-deps",
        "--config",
        "--enable-feature",
        "--kinds",
    }  # pytest's, docker's, jaeger's, pip's, LiveKit's, the soak's, Prometheus's
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", EVERYTHING)) <= every | others


@pytest.mark.parametrize("name", dict(commands()))
def test_every_command_has_an_example_and_each_is_one_that_it_takes(name: str) -> None:
    known = dict(commands())
    if isinstance(known[name].command, click.Group):
        return
    shown = examples(known[name].command)
    assert any(f"tracer {name}" in example for example in shown), name
    for example in shown:
        before, tracer, after = example.partition("tracer ")
        assert tracer, example
        assert re.fullmatch(r"([A-Z_]+=\S+ )*", before), example
        called = max((other for other in known if f"{after} ".startswith(f"{other} ")), key=len)
        arguments = after[len(called) :].partition("  #")[0].partition(" | ")[0].partition(" > ")[0]
        known[called].command.make_parser(known[called]).parse_args(shlex.split(arguments))


READ = ("check", "compare", "rooms", "stats", "store", "timeline", "why")
"""Commands that answer from a store and end. The others' examples have servers in them: tests/live runs their like."""


@pytest.mark.parametrize("name", READ)
def test_every_example_that_reads_a_store_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(SqliteStore(tmp_path / "calls.db")) as store:
        for sid, room in ((ROOM, "my-room"), ("RM_nFyAF2c9Lk31", "another-room")):
            moments = with_facts(call(), Kind.ROOM_CREATED, ROOM, {keys.ROOM_NAME: room})
            store.add([Arrival(tuple(in_room(sid, moments)))])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRACER_STORE", str(tmp_path / "calls.db"))
    for example in examples(dict(commands())[name].command):
        if not example.startswith(f"tracer {name} "):
            continue
        main(shlex.split(example.removeprefix("tracer ")))
        told = capsys.readouterr()
        assert told.err == "", example
        assert told.out or list(tmp_path.glob("*.xml")), example


NAMED = r"(TRACER|LIVEKIT|OTEL|OPENAI)_[A-Z_]*[A-Z]"


def variables() -> set[str]:
    """The environment variables that the tracer and the sample agent read, by their names in the code."""
    found: set[str] = set()
    for path in [*(ROOT / "tracer").rglob("*.py"), ROOT / "agent" / "agent.py"]:
        if path.is_relative_to(ROOT / "tracer" / "demo"):
            continue  # what the demo tells the programs that it starts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and re.fullmatch(NAMED, str(node.value)):
                found.add(str(node.value))
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = ast.unparse(node.func)
                name = str(node.args[0].value)
                if called in ("os.environ.get", "os.getenv"):
                    found.add(name)
                elif called == "otlp_variable":
                    found.add(f"OTEL_EXPORTER_OTLP_{name}")
    return found


def test_every_environment_variable_is_described() -> None:
    page = TEXT["docs/environment.md"]
    read = variables()
    assert {"TRACER_STORE", "OTEL_EXPORTER_OTLP_HEADERS", "CI", "AGENT_NAME"} <= read
    assert [name for name in sorted(read) if f"`{name}`" not in page] == []
    rows = "\n".join(line for line in page.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"^\| (`.*?`) \|", rows, re.MULTILINE))
    told = {name for cell in named for name in re.findall(r"`([A-Z_]+)`", cell)}
    assert told - read == {
        "OTEL_SDK_DISABLED",
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    }


def test_every_make_target_named_is_there() -> None:
    targets = set(re.findall(r"`make ([a-z-]+)`|\$ make ([a-z-]+)", EVERYTHING))
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {name for pair in targets for name in pair if name} <= there


INTERNAL = {"Guarantee"}
"""Enums whose values are in no JSON."""


def test_every_value_for_programs_is_listed() -> None:
    page = TEXT["docs/json.md"]
    for module in modules():
        for name, one in vars(module).items():
            if isinstance(one, type) and issubclass(one, StrEnum) and one.__module__ == module.__name__:
                slugs = [str(member) for member in one]
                if name not in INTERNAL and all(re.fullmatch(r"[a-z_]+", slug) for slug in slugs):
                    assert [slug for slug in slugs if f"`{slug}`" not in page] == [], name


def modules() -> Iterator[ModuleType]:
    for package in ("timeline", "clocks", "check", "why", "latency", "doctor"):
        for path in sorted((ROOT / "tracer" / package).rglob("*.py")):
            yield import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def test_every_function_on_the_walks_is_there() -> None:
    packages = {path.parent.name for path in (ROOT / "tracer").glob("*/__init__.py")}
    named = re.findall(r"`((?:\w+)(?:\.\w+)+)`", TEXT["docs/architecture.md"])
    walked = [name for name in named if name.partition(".")[0] in packages]
    assert walked
    for name in walked:
        assert found(f"tracer.{name}") is not None, name


def found(name: str) -> Any:
    """What a dotted name leads to: a module, or something within one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            there: Any = import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            there = getattr(there, part)
        return there
    return None


def test_the_lines_for_an_agent_in_node_are_those_of_the_agent_that_is_tested() -> None:
    agent = (ROOT / "tests" / "live" / "node" / "agent.mjs").read_text()
    lines = {line.removesuffix("// traced").strip() for line in agent.splitlines() if line.endswith("// traced")}
    shown = {line.strip() for line in (ROOT / "docs" / "setup.md").read_text().splitlines()}
    assert len(lines) == 8
    assert lines <= shown
