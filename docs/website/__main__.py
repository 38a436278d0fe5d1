"""Builds the documentation as a site: ``python -m docs.website [FOLDER]``, by default ``build/site``.

What is written in the repository and what is made from the code become the sources of a site, which Sphinx builds. A
link that leads nowhere, or anything else that Sphinx warns of, fails it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.cmd.build import build_main

from docs.website.pages import ROOT, SHOWN, pages, pictures

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["build"]


def build(folder: Path, texts: Mapping[str, str]) -> int:
    """Build a site of these pages into this folder, which is emptied first; 0 when nothing was wrong."""
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "source"
        for place, text in texts.items():
            (source / place).parent.mkdir(parents=True, exist_ok=True)
            (source / place).write_text(text, encoding="utf-8")
        for place, picture in pictures().items():
            (source / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, source / place)
        settings = str(Path(__file__).parent)
        cache = str(Path(temporary) / "cache")
        failed = build_main(
            ["--fail-on-warning", "--quiet", "-j", "auto", "-c", settings, "-d", cache, str(source), str(folder)]
        )
        for place in {found[2] for text in texts.values() for found in SHOWN.finditer(text)} & pictures().keys():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(pictures()[place], folder / place)  # Sphinx copies what Markdown shows, not what HTML does
        return failed


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site"
    failed = build(where, pages())
    if not failed:
        print(f"{where / 'index.html'}")
    sys.exit(failed)
