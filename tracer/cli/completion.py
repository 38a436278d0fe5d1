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
      eval "$(tracer completion bash)"       in ~/.bashrc; with zsh in ~/.zshrc
      tracer completion fish | source        in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101  click has these three
    cli = context.find_root().command
    click.echo(found(cli, {}, "tracer", "_TRACER_COMPLETE").source())
