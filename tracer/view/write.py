"""What every command does with its view: show it, or write it to a file, in a form for people or for programs."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from tracer.errors import TracerError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

__all__ = [
    "as_html",
    "as_text",
    "without_fonts",
    "write_bytes",
    "write_json",
    "write_private",
    "write_text",
    "write_view",
]

FILE_WIDTH = 100
"""Columns of a text in a file, without --width."""
COLOURS = [
    (110, 110, 110),
    (205, 50, 50),
    (40, 145, 75),
    (175, 120, 0),
    (55, 115, 215),
    (165, 75, 175),
    (0, 135, 155),
    (128, 128, 128),
]
"""The terminal's colours, from black to white, as a notebook shows them: to be read on white and on black."""


def write_view(*views: RenderableType, output: Path | None = None, width: int | None = None) -> None:
    """Show views one below the other, an empty line between them: as the terminal can, or as plain text in a file.

    Raises TracerError when the file cannot be written.
    """
    if output is not None:
        write_text(as_text(*views, width=width), output)
        return
    from tracer.view.console import console

    out = console()
    if width:
        out.width = width
    for number, view in enumerate(views):
        if number:
            out.print()
        out.print(view, crop=not getattr(view, "fits", False))


def write_json(value: dict[str, Any], output: Path | None = None) -> None:
    """Write JSON types, to standard output or to a file. Raises TracerError when the file cannot be written."""
    write_text(json.dumps(value, indent=2) + "\n", output)


def write_text(text: str, output: Path | None = None) -> None:
    """Write text, to standard output or to a file. Raises TracerError when the file cannot be written."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TracerError(f"cannot write {output}: {error.strerror}") from None


def write_bytes(body: bytes, output: Path | None = None) -> None:
    """Write what is no text, to standard output or to a file. Raises TracerError where it cannot be written."""
    if output is None:
        if sys.stdout.isatty():
            raise TracerError("this is no text for a terminal: name a file with -o")
        sys.stdout.buffer.write(body)
        return
    try:
        output.write_bytes(body)
    except OSError as error:
        raise TracerError(f"cannot write {output}: {error.strerror}") from None


def write_private(body: bytes, output: Path) -> None:
    """Write a file that its owner alone can read. Raises TracerError when it cannot be written."""
    try:
        with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(body)
    except OSError as error:
        raise TracerError(f"cannot write {output}: {error.strerror}") from None


def as_text(*views: RenderableType, width: int | None = None) -> str:
    """The views as text without colours, an empty line between them."""
    from rich.console import Console

    file = io.StringIO()
    out = Console(file=file, width=width or FILE_WIDTH, color_system=None, highlight=False, markup=False, emoji=False)
    for number, view in enumerate(views):
        if number:
            out.print()
        out.print(view)
    return file.getvalue()


def as_html(view: RenderableType, width: int | None = None) -> str:
    """A piece of HTML with colours, to be read on white and on black, in which nothing runs and nothing is loaded."""
    from rich.console import Console
    from rich.terminal_theme import TerminalTheme

    out = Console(
        file=io.StringIO(),
        record=True,
        width=width or FILE_WIDTH,
        force_terminal=True,
        color_system="standard",
        highlight=False,
        markup=False,
        emoji=False,
    )
    out.print(view)
    html = out.export_html(
        theme=TerminalTheme((255, 255, 255), (0, 0, 0), COLOURS), inline_styles=True, code_format="{code}"
    )
    return f'<pre style="font-family:monospace;line-height:1.3;overflow-x:auto;white-space:pre">{html}</pre>'


def without_fonts(svg: str) -> str:
    """Rich's picture without its font, which it loads from the internet: it needs nothing but itself."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
