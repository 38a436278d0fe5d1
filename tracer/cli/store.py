"""`tracer store`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracer.cli.options import format_option, output_option, read_store_option, width_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command("store", short_help="Say what is in the store, how large it is, and how far back it goes.")
@read_store_option
@format_option()
@output_option
@width_option
def command(store: str, form: str, output: Path | None, width: int | None) -> None:
    """Say what is in the store, how large it is, and how far back it goes.

    `tracer serve` keeps it within --keep and --max-size; `tracer forget` deletes rooms from it.

    \b
    Example: tracer store --store calls.db
    """
    from contextlib import closing

    from tracer.store import open_reader, shown
    from tracer.view.store import StoreView, as_json
    from tracer.view.write import write_json, write_view

    with closing(open_reader(store)) as reader:
        size = reader.size()
    if form == "json":
        write_json(as_json(shown(store), size), output)
    else:
        write_view(StoreView(shown(store), size), output=output, width=width)
