"""`tracer completion`"""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("completion", short_help="Print what makes your shell complete commands, options and rooms.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print what makes your shell complete commands, options and the names of rooms.

    \b
    Examples:
      tracer completion bash > ~/.local/share/bash-completion/completions/tracer
      tracer completion zsh > ~/.zfunc/_tracer
      tracer completion fish > ~/.config/fish/completions/tracer.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101  click has these three
    cli = context.find_root().command
    click.echo(found(cli, {}, "tracer", "_TRACER_COMPLETE").source())
