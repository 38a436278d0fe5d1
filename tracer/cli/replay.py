"""`tracer replay`"""

from __future__ import annotations

from pathlib import Path

import click

from tracer.cli.options import read_store_option

__all__ = ["command"]


@click.command("replay", short_help="Add recordings of `tracer serve --record` to a store.")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@read_store_option
def command(files: tuple[Path, ...], store: str) -> None:
    """Add recordings to a store: what `tracer serve --record` wrote, plain or gzipped.

    What is in the store already is not added again. To look at one recording, no store is needed:
    `tracer timeline FILE`, `tracer why FILE` and `tracer check FILE` read it as it is.

    \b
    Examples:
      tracer replay call.jsonl --store calls.db
      tracer replay recordings/*.jsonl.gz
    """
    from contextlib import closing

    from tracer.service.replay import replay
    from tracer.store import open_writer, shown
    from tracer.units import plural

    with closing(open_writer(store)) as kept:
        read = replay(files, kept)
    click.echo(f"{read} records of {len(files)} {plural(len(files), 'file')} are in {shown(store)}")
