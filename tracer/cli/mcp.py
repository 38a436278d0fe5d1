"""`tracer mcp`"""

from __future__ import annotations

from pathlib import Path

import click

from tracer.cli.extra import needs_mcp_extra
from tracer.cli.logs import start_logging
from tracer.cli.options import read_store_option

__all__ = ["command"]


@click.command(
    "mcp", short_help="Answer coding assistants (MCP): rooms, timeline, why, check, compare, doctor, explain."
)
@click.argument("recordings", nargs=-1, metavar="[FILE]…", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@read_store_option
@click.option("--no-redact", is_flag=True, help="Tell names, identities, attributes and error messages too.")
@click.option("--http", is_flag=True, help="Serve streamable HTTP instead of standard input and output.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on, with --http.")
@click.option(
    "--port", default=7891, show_default=True, type=click.IntRange(0, 65535), help="With --http; 0 chooses a free port."
)
def command(recordings: tuple[Path, ...], store: str, no_redact: bool, http: bool, host: str, port: int) -> None:
    """Answer coding assistants over the Model Context Protocol, from the store or from the recordings FILE….

    The assistant starts it, and speaks to it over standard input and output; or with --http it serves
    http://127.0.0.1:7891/mcp to this machine, and beyond it to whoever sends TRACER_READ_TOKEN. An answer has fewer
    than 1,500 tokens. Without --no-redact names are pseudonyms, and attributes and error messages are left out. Texts
    from outside are marked as data.

    \b
    Examples:
      tracer mcp
      tracer mcp call.jsonl --no-redact
      tracer mcp --http
    """
    needs_mcp_extra()
    import asyncio
    from contextlib import ExitStack

    from tracer.assistant.doctor import Doctor
    from tracer.assistant.outside import Outside
    from tracer.assistant.pseudonyms import Pseudonyms, key_in
    from tracer.assistant.reading import Rooms, Source
    from tracer.assistant.server import server
    from tracer.service.replay import opened
    from tracer.settings import pseudonym_key, read_token

    start_logging("text", quiet=not http)
    outside = Outside(None if no_redact else Pseudonyms(key_in(pseudonym_key())))
    with ExitStack() as stack:
        sources = tuple(Source(recording=stack.enter_context(opened(path))) for path in recordings) or (Source(store),)
        answering = server(Rooms(sources, outside), Doctor(store))
        if http:
            from tracer.assistant.http import serve_http

            asyncio.run(serve_http(answering, host, port, read_token()))
        else:
            asyncio.run(answering.run_stdio_async())
