"""A page for each command, made from its parser."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click

from docs.website.markdown import prose, table
from tracer.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["commands", "examples", "page"]


def commands() -> Iterator[tuple[str, click.Context]]:
    """Every command by its name, ``doctor``, and those inside a command by both names."""
    yield from _inside(cli, click.Context(cli, info_name="tracer", **cli.context_settings), "")


def _inside(group: click.Group, context: click.Context, before: str) -> Iterator[tuple[str, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield f"{before}{name}", inner
        if isinstance(command, click.Group):
            yield from _inside(command, inner, f"{before}{name} ")


def page(name: str, context: click.Context, more: str) -> str:
    """The page of one command; ``more`` is where else it is described, in Markdown."""
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    text, shown = _help(command)
    parts = [f"# tracer {name}", *text[:1], f"```text\n{usage}\n```", *text[1:], _options(context)]
    parts += [f"## Examples\n\n```console\n{shown}\n```"] if shown else []
    return "\n\n".join([*parts, more]) + "\n"


def examples(command: click.Command) -> list[str]:
    """The commands that its help shows as examples."""
    return [line.removeprefix("$ ") for line in _help(command)[1].splitlines()]


def _help(command: click.Command) -> tuple[list[str], str]:
    """Its help in paragraphs of Markdown, and its examples, a line each behind a ``$``."""
    text, shown = [], []
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        as_it_is = paragraph.startswith("\b\n")
        lines = paragraph.removeprefix("\b\n").splitlines()
        if lines[0].strip() == "Examples:":
            shown += [f"$ {line.strip()}" for line in lines[1:]]
        elif lines[0].startswith("Example: "):
            shown += [f"$ {' '.join(lines).removeprefix('Example: ')}"]
        elif as_it_is:
            text.append("```text\n" + "\n".join(lines) + "\n```")
        else:
            text.append(prose("\n".join(lines)))
    return text, "\n".join(shown)


def _options(context: click.Context) -> str:
    rows = []
    for option in context.command.get_params(context):
        if isinstance(option, click.Option) and not option.hidden and (record := option.get_help_record(context)):
            extra = option.get_help_extra(context)
            bounds = f" ({extra['range']})" if "range" in extra else ""
            default = str(extra.get("default", ""))
            said = prose(default[1:-1]) if default.startswith("(") else default and f"`{default}`"
            given = [*(f"`{name}`" for name in extra.get("envvars", ())), *([said] if said else [])]
            rows.append((f"`{record[0]}`", prose(option.help or "") + bounds, ", or else ".join(given)))
    return f"## Options\n\n{table(('option', 'what it does', 'default'), rows)}"
