"""Arguments that a tool does not take: what is wrong with them, what they were, and what to do, in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tracer.assistant.called import called
from tracer.assistant.outside import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["wrong", "wrong_tool"]

MOST = 3
"""Arguments that are named; whoever sends more wrong ones knows enough."""


def wrong(tool: str, schema: Mapping[str, Any], given: Mapping[str, object], refused: Iterable[str]) -> str | None:
    """What is wrong with what was given; None where nothing is.

    ``schema`` is the tool's, as JSON Schema; ``refused`` has the names of arguments whose value is none of its kind.
    """
    takes: dict[str, dict[str, Any]] = schema["properties"]
    said = [
        f"{tool} has no argument {quoted(name)}: it takes {_listed(list(takes))}."
        for name in given
        if name not in takes
    ]
    missing = [name for name in schema.get("required", ()) if name not in given]
    said += [f"{tool} needs {name}. {takes[name]['description']}" for name in missing]
    for name in dict.fromkeys(refused):
        if name in given and name in takes:
            said.append(_refused(tool, name, takes[name], given[name]))
    return " ".join(said[:MOST]) or None


def wrong_tool(name: str, tools: Iterable[str]) -> str:
    """There is no such tool."""
    return f"There is no tool {quoted(name)}: there are {_listed(list(tools))}."


def _refused(tool: str, name: str, takes: Mapping[str, Any], given: object) -> str:
    value = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)
    right = called(tool, **{name: takes["default"]}) if "default" in takes else f"{tool} again with one"
    leave = "leave it out, or " if "default" in takes else ""
    return f"{name} of {tool} must be {_kind(takes)}, not {quoted(value)}: {leave}call {right}."


def _kind(takes: Mapping[str, Any]) -> str:
    """What a value has to be, in words."""
    match takes["type"]:
        case "integer":
            return f"a whole number from {takes['minimum']} to {takes['maximum']}"
        case "boolean":
            return "true or false"
        case "array":
            most = takes["items"]["maxLength"]
            return f"a list of {takes['maxItems']} texts at most, each of {most} characters at most"
        case _:
            return f"a text of {takes['maxLength']} characters at most"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
