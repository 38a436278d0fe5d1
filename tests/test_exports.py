from __future__ import annotations

import ast
import inspect
import itertools
import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

import tracer

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.slow
NAMES = ["tracer", *(module.name for module in pkgutil.walk_packages(tracer.__path__, "tracer."))]
# The demo's agents are what a user would write: a worker runs them by their path, nobody imports them.
MODULES = [name for name in NAMES if not name.endswith(".__main__") and ".demo.agents" not in name]


def lines(module: ModuleType) -> list[ast.stmt]:
    return ast.parse(inspect.getsource(module)).body


def described(module: ModuleType) -> set[str]:
    """Names with a docstring: in them, or beneath them."""
    body = lines(module)
    found = {
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node)
    }
    for before, after in itertools.pairwise(body):
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            targets = before.targets if isinstance(before, ast.Assign) else [getattr(before, "target", None)]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def defined(module: ModuleType) -> set[str]:
    """Names that the module itself defines."""
    found = set()
    for node in lines(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_every_module_says_what_it_is_for() -> None:
    assert [name for name in MODULES if not inspect.getdoc(import_module(name))] == []


def test_what_a_module_offers_exists_and_is_documented() -> None:
    for name in MODULES:
        module = import_module(name)
        offered = getattr(module, "__all__", [])
        assert len(offered) == len(set(offered)), name
        for public in offered:
            assert hasattr(module, public), (name, public)
        own = set(offered) & defined(module)
        # A version needs no words.
        assert own - described(module) - {"__version__"} == set(), name


def test_a_module_that_has_something_to_offer_says_what() -> None:
    for name in MODULES:
        module = import_module(name)
        classes_and_functions = {
            node.name
            for node in lines(module)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
        }
        is_script = 'if __name__ == "__main__":' in inspect.getsource(module)
        assert hasattr(module, "__all__") or is_script or not classes_and_functions, name


def test_the_package_offers_what_it_names() -> None:
    assert [name for name in tracer.__all__ if not getattr(tracer, name)] == []


def test_what_the_package_does_not_offer_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_such"):
        tracer.nothing_such  # noqa: B018
