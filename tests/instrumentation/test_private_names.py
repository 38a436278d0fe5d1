from __future__ import annotations

import ast
import inspect
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import tracer.instrumentation
from tracer.instrumentation.private_names import CHECKED_WITH, PRIVATE_NAMES, PrivateName

FOLDER = Path(tracer.instrumentation.__file__).parent
USED_IN = [path for path in sorted(FOLDER.glob("*.py")) if path.name != "private_names.py"]


@pytest.mark.parametrize("private", PRIVATE_NAMES, ids=lambda private: private.name)
def test_livekit_agents_still_has_it(private: PrivateName) -> None:
    module = import_module(f"livekit.agents.{private.module}")
    owner = getattr(module, private.owner) if private.owner else module
    # An attribute that __init__ sets is in no class.
    source = inspect.getsource(owner).replace(": ", " = ").replace(", self.", " = self.")
    assert hasattr(owner, private.name) or f"self.{private.name} = " in source


def test_they_were_checked_with_the_version_that_is_installed() -> None:
    assert version("livekit-agents") == CHECKED_WITH


def test_no_private_name_is_used_that_is_not_listed() -> None:
    used = set()
    for path in USED_IN:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                name, of_self = node.attr, isinstance(node.value, ast.Name) and node.value.id == "self"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                name, of_self = node.value, False  # as getattr takes it
            elif isinstance(node, ast.ImportFrom) and "livekit" in (node.module or ""):
                used |= {alias.name for alias in node.names if alias.name.startswith("_")}
                continue
            else:
                continue
            if name.isidentifier() and name.startswith("_") and not name.startswith("__") and not of_self:
                used |= {name} - own
    assert used == {private.name for private in PRIVATE_NAMES}
