"""Fills the tables of these pages that repeat what the code says. Run it when a file, a cause or a scenario changed.

    python docs/tables.py

Each table stands between ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``; `tests/test_docs.py` fails when one is out
of date.
"""

from __future__ import annotations

import ast
import inspect
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.demo.failures import FAILURES
from tracer.demo.scenarios import SCENARIOS
from tracer.learn.lessons import LESSONS
from tracer.view import kinds, slugs
from tracer.why import CAUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOCS = Path(__file__).parent


def questions() -> str:
    """What people ask, with the scenario that makes it and the cause that answers it."""
    rows = [f"| {one.question} | `tracer demo {name}` | `{one.cause}` |" for name, one in FAILURES.items()]
    return "\n".join(["| what people ask | made by | `why` names |", "|---|---|---|", *rows])


def causes() -> str:
    """Every cause of `tracer why`."""
    rows = [f"| `{one.name}` | {one.symptom} | {one.about} | {one.advice} |" for one in CAUSES]
    return "\n".join(["| cause | symptom | what it is | what to do |", "|---|---|---|---|", *rows])


def scenarios() -> str:
    """The demo's calls that go well, each with the question it answers."""
    rows = [f"| `{name}` | {one.question} | [picture]({name}.svg) |" for name, one in SCENARIOS.items()]
    return "\n".join(["| scenario | the question it answers | |", "|---|---|---|", *rows])


def lessons() -> str:
    """The steps of `tracer learn`, each with the demo's call that it is made with."""
    rows = [f"| {number} | {one.title} | `{one.scenario.name}` |" for number, one in enumerate(LESSONS, 1)]
    return "\n".join(["| step | what it is about | its call |", "|---:|---|---|", *rows])


def tree() -> str:
    """Every file of the package, with the first sentence of its docstring."""
    return "\n".join(["```", *_listed(PACKAGE, 0), "```"])


def _listed(folder: Path, depth: int) -> Iterator[str]:
    yield _line(f"{folder.name}/", folder / "__init__.py", depth)
    if folder.name in ONE_CALL_A_FILE:
        return
    inside = sorted(folder.iterdir(), key=lambda path: (path.is_dir(), _place(path.name), path.name))
    for path in inside:
        if path.is_dir() and (path / "__init__.py").exists():
            yield from _listed(path, depth + 1)
        elif path.suffix == ".py" and path.name != "__init__.py":
            yield _line(path.name, path, depth + 1)


def _place(name: str) -> int:
    return THE_WAY.index(name) if name in THE_WAY else len(THE_WAY)


def _line(name: str, path: Path, depth: int) -> str:
    text = inspect.cleandoc(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
    paragraph = " ".join(text.partition("\n\n")[0].split()).replace("``", "").replace("`", "")
    sentence, stop, _ = paragraph.partition(". ")
    return f"{'  ' * depth + name:{COLUMN}}{sentence.rstrip('.') if stop else paragraph.rstrip('.')}"


def imports() -> str:
    """What each package of the tracer imports of the others, every import after what it imports."""
    arrows: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        owner = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if not owner.startswith("__"):
            arrows.setdefault(owner, set()).update(set(_imported(path)) - {owner})
    floors = TopologicalSorter(arrows)
    floors.prepare()
    rows = []
    while ready := sorted(floors.get_ready(), key=lambda name: (_place(name), name)):
        floors.done(*ready)
        rows += [f"| `{name}` | {' '.join(f'`{other}`' for other in sorted(arrows[name]))} |" for name in ready]
    return "\n".join(["| package | imports |", "|---|---|", *rows])


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            inside = [f"tracer.{alias.name}" for alias in node.names]
            modules = inside if node.module == "tracer" else [node.module or ""]
        for module in modules:
            name = module.removeprefix("tracer.").partition(".")[0]
            if module.startswith("tracer.") and ((PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists()):
                yield name


PACKAGE = DOCS.parent / "tracer"
ONE_CALL_A_FILE = {"failures", "lessons", "scenarios"}
"""Folders whose files are listed elsewhere."""
THE_WAY = [
    "instrumentation",
    "witness",
    "service",
    "store",
    "timeline",
    "clocks",
    "check",
    "why",
    "latency",
    "explain",
    "export",
    "view",
    "cli",
]
"""Folders in the order of the one way through; others come after them."""
COLUMN = 30
"""Columns of a file's name."""

PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "architecture.md": {"map": tree, "imports": imports},
    "causes.md": {"questions": questions, "causes": causes},
    "commands.md": {"scenarios": scenarios, "lessons": lessons},
    "json.md": {"slugs": slugs.table},
    "moments.md": {"kinds": kinds.table},
}
"""For each page its tables, by the name between its marks."""


def filled(page: str) -> str:
    """The text of a page with its tables made anew."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, made in PAGES[page].items():
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{made().rstrip()}\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    for page in PAGES:
        (DOCS / page).write_text(filled(page), encoding="utf-8")
