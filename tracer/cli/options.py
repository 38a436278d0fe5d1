"""Options that several commands share."""

from __future__ import annotations

import click

from tracer.settings import default_store

__all__ = ["store_option"]

store_option = click.option(
    "--store",
    default=default_store,
    metavar="PATH",
    show_default="TRACER_STORE, or a file in your state folder",
    help="Where moments are kept: a SQLite file.",
)
