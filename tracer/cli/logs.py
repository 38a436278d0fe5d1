"""How a service logs: a line for each event on stderr, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["formatter", "log_options", "start_logging"]

_Command = TypeVar("_Command", bound="Callable[..., Any]")

CHATTY = ("opentelemetry", "psycopg.pool", "urllib3")
"""What these log is said by tracer itself, once."""


def log_options(command: _Command) -> _Command:
    """`--quiet` and `--log-format`."""
    form = click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="How log lines are written to stderr.",
    )
    quiet = click.option("-q", "--quiet", is_flag=True, help="Log warnings and errors only.")
    return quiet(form(command))


def start_logging(log_format: str, *, quiet: bool) -> None:
    """From now on, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(handlers=[handler], level=logging.WARNING if quiet else logging.INFO)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def formatter(log_format: str) -> logging.Formatter:
    """What writes a line: ``text`` or ``json``."""
    return _JsonLine() if log_format == "json" else _TextLine()


class _TextLine(logging.Formatter):
    """Names and identities are chosen by strangers: nothing in a line can act on a terminal or begin another line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        record.message = plain(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802  logging's name
        return "\n".join(f"  {plain(line)}" for line in super().formatException(ei).splitlines())


class _JsonLine(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``event``, ``message``, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", None),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
