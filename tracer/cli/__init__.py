"""The command line, one command a file. A command is imported when it is called, so that each starts quickly."""

from __future__ import annotations

import gc
import io
import sys
import warnings
from importlib import import_module
from typing import Any

import click

from tracer import __version__
from tracer.errors import TracerError

__all__ = ["main"]

COMMANDS = (
    "bundle",
    "call",
    "check",
    "compare",
    "completion",
    "demo",
    "doctor",
    "explain",
    "forget",
    "learn",
    "mcp",
    "observe",
    "replay",
    "rooms",
    "serve",
    "skill",
    "stats",
    "store",
    "timeline",
    "watch",
    "why",
)


class _Commands(click.Group):
    """Finds `tracer NAME` in the module of that name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"tracer.cli.{cmd_name}").command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="tracer")
def cli() -> None:
    """See what happens in a LiveKit room, step by step: room, participants, dispatches, jobs, agents."""
    from tracer.settings import load_env

    load_env()


def main(arguments: list[str] | None = None) -> Any:
    """Run a command; an error is one line on stderr and an exit code, never a traceback."""
    # A command needs what it reads until its end: collecting garbage among it costs a sixth of its time.
    gc.set_threshold(100_000, 50, 50)
    # livekit-server's --dev key pair has a short secret. That is a matter for whoever runs the server.
    warnings.filterwarnings("ignore", message="The HMAC key is ")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ● shows a question mark
    try:
        return cli.main(arguments, prog_name="tracer", standalone_mode=False)
    except click.exceptions.Exit as done:
        return sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        return sys.exit(error.exit_code)
    except TracerError as error:
        click.echo(f"tracer: {error}", err=True)
        return sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return sys.exit(130)
    except OSError as error:
        # A full disk behind standard output, say; a pipe whose reader has gone (`… | head`) is none of these.
        click.echo(f"tracer: {error.filename or 'standard output'}: {error.strerror or error}", err=True)
        return sys.exit(1)
