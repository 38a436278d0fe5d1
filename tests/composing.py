"""docker-compose.yml as Compose reads it: anchors merged, variables put in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]  # comes with livekit-agents, its types do not

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / "deploy" / ".env.example"
VARIABLE = re.compile(r"\$\{(\w+):\?[^}]+\}")
"""A variable that must be set and not empty: the only form used there."""


def composed(text: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables. Raises KeyError when a required one is missing or empty."""

    def put_in(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: put_in(one) for key, one in value.items()}
        if isinstance(value, list):
            return [put_in(one) for one in value]
        return VARIABLE.sub(lambda found: required(found[1]), value) if isinstance(value, str) else value

    def required(name: str) -> str:
        if not variables.get(name):
            raise KeyError(name)
        return variables[name]

    read: dict[str, Any] = put_in(yaml.safe_load(text))
    for service in read["services"].values():
        named = service.get("environment", {}).items()
        passed = {name: variables.get(name) if value is None else value for name, value in named}
        service["environment"] = {name: value for name, value in passed.items() if value is not None}
    return read


def example() -> dict[str, str]:
    """What deploy/.env.example sets."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def start_order(services: Mapping[str, Any]) -> list[str]:
    """The services, each after those it depends on."""
    order: list[str] = []
    while len(order) < len(services):
        ready = [
            name for name in services if name not in order and set(services[name].get("depends_on", {})) <= {*order}
        ]
        assert ready, "a circle of dependencies"
        order += ready
    return order
