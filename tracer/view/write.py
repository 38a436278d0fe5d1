"""One timeline, in one of the forms, to a file or to standard output."""

from __future__ import annotations

import io
import json as jsonlib
import re
import sys
from typing import TYPE_CHECKING

from tracer.errors import TracerError
from tracer.view.text import plain

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.timeline.timeline import Timeline

__all__ = ["write"]

SVG_WIDTH = 112


def write(
    timeline: Timeline, form: str, output: Path | None, *, everything: bool = False, width: int | None = None
) -> None:
    """Write it as ``terminal``, ``json`` or ``svg``. Raises TracerError when the file cannot be written."""
    if form == "terminal" and output is None:
        from tracer.view.console import console
        from tracer.view.terminal import TimelineView

        out = console()
        if width:
            out.width = width
        out.print(TimelineView(timeline, everything=everything))
        return
    text = _text(timeline, form, everything, width)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TracerError(f"cannot write {output}: {error.strerror}") from None


def _text(timeline: Timeline, form: str, everything: bool, width: int | None) -> str:
    if form == "json":
        from tracer.view import json

        return jsonlib.dumps(json.timeline(timeline), indent=2) + "\n"
    from rich.console import Console

    from tracer.view.terminal import TimelineView

    view = TimelineView(timeline, everything=everything)
    if form == "svg":
        out = Console(
            file=io.StringIO(), record=True, width=width or SVG_WIDTH, force_terminal=True, color_system="truecolor"
        )
        out.print(view)
        title = f"tracer timeline {plain(timeline.room.name or timeline.room.sid)}"
        # Rich's picture asks a server on the internet for its font; ours needs nothing but itself.
        return re.sub(r"@font-face \{.*?\}\s*", "", out.export_svg(title=title), flags=re.DOTALL)
    out = Console(file=io.StringIO(), width=width or 100, color_system=None, highlight=False, markup=False)
    out.print(view)
    return str(out.file.getvalue())  # type: ignore[attr-defined]  # a StringIO
