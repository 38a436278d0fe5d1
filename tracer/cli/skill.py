"""`tracer skill`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracer.cli.options import output_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command("skill", short_help="Print how a coding assistant should use tracer, as a SKILL.md.")
@output_option
def command(output: Path | None) -> None:
    """Print how a coding assistant should use tracer: a SKILL.md, as assistants read it from their folder of skills.

    With -o the folder is made where it is not there.

    \b
    Examples:
      tracer skill
      tracer skill -o .claude/skills/livekit-tracer/SKILL.md
    """
    from contextlib import suppress
    from importlib.resources import files

    from tracer.view.write import write_text

    if output is not None:
        with suppress(OSError):  # what cannot be written is said below
            output.parent.mkdir(parents=True, exist_ok=True)
    write_text((files("tracer.assistant") / "SKILL.md").read_text(encoding="utf-8"), output)
