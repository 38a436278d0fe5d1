"""`tracer timeline`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from tracer.cli.completing import complete_room
from tracer.cli.options import format_option, output_option, read_store_option, width_option
from tracer.settings import checked_url

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.timeline.timeline import Timeline

__all__ = ["command"]


@click.command("timeline", short_help="Show what happened in a room, moment by moment.")
@click.argument("room", shell_complete=complete_room)
@read_store_option
@format_option(
    "svg",
    "html",
    "mermaid",
    "csv",
    "perfetto",
    "otlp",
    help="svg is a picture; html the page, one file that opens offline; mermaid a diagram for Markdown; csv a row for"
    " each moment; perfetto a trace for ui.perfetto.dev; otlp the room's whole trace in OpenTelemetry's JSON.",
)
@output_option
@click.option("--all", "everything", is_flag=True, help="Show every participant and every moment.")
@click.option("--summary", is_flag=True, help="Show the verdict and the chart only: at most 23 lines.")
@click.option(
    "--follow", is_flag=True, help="Show it while it happens, until the room is over; waits for a room to come."
)
@click.option("--legend", is_flag=True, help="Explain the signs below; shown unasked the first time, on a terminal.")
@click.option(
    "--jaeger-url",
    envvar="TRACER_JAEGER_URL",
    show_envvar=True,
    metavar="URL",
    help="Address of Jaeger's UI, as http://127.0.0.1:16686: a link to the room's trace is shown.",
)
@width_option
def command(
    room: str,
    store: str,
    form: str,
    output: Path | None,
    everything: bool,
    summary: bool,
    follow: bool,
    legend: bool,
    jaeger_url: str | None,
    width: int | None,
) -> None:
    """Show what happened in ROOM, moment by moment: first the verdict, as `tracer why` has it.

    ROOM is a name (the latest room of that name), an SID or the FILE of a recording.

    \b
    Examples:
      tracer timeline my-room
      tracer timeline my-room --summary
      tracer timeline my-room --follow
      tracer timeline RM_ev5rQjUVknES --format json
    """
    from tracer.cli.room import read_room
    from tracer.view.write import write_json, write_view

    context = click.get_current_context()
    for option, (name, forms) in _FORMS.items():
        # What tracer.toml sets is for those forms that have it.
        if form not in forms and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option} does nothing with --format {form}: only with {', '.join(forms)}")
    if jaeger_url:
        checked_url("--jaeger-url (TRACER_JAEGER_URL)", jaeger_url, "http", "https")
    if follow:
        from tracer.cli.room import Awaited
        from tracer.watch.follow import follow as show

        if form != "terminal" or output:
            raise click.UsageError("--follow shows the terminal's form, on standard output: without --format and -o")
        show(store, Awaited(store, room).find, everything=everything, summary=summary, width=width)
        return
    if form == "otlp":
        from tracer.cli.room import opened
        from tracer.export.otlp import as_json as as_otlp
        from tracer.export.whole import whole_trace
        from tracer.store.load import timeline_in

        with opened(store, room) as found:
            trace = whole_trace(found.reader, timeline_in(found.reader, found.room, now=found.now))
        write_json(as_otlp(trace), output)
        return
    timeline = read_room(store, room)
    if form != "terminal":
        _write(timeline, form, output, everything=everything, summary=summary, width=width)
        return
    from tracer.view.link import trace_link
    from tracer.view.terminal import TimelineView

    view = TimelineView(timeline, everything=everything, summary=summary)
    from tracer.cli.legend import first_time
    from tracer.view.legend import Legend

    views = [view, Legend()] if legend or (output is None and not summary and first_time()) else [view]
    write_view(*views, output=output, width=width)
    if jaeger_url and output is None:
        from tracer.cli.links import linked

        address = trace_link(timeline.trace_id, jaeger_url)
        click.echo(f"in Jaeger: {linked(address, address)}")


_FORMS = {
    "--summary": ("summary", ("terminal", "svg")),
    "--all": ("everything", ("terminal", "svg", "html", "mermaid")),
    "--legend": ("legend", ("terminal",)),
    "--width": ("width", ("terminal", "svg")),
}
"""Which options change which forms: an option that does nothing is refused, with its name among the parameters."""


def _write(
    timeline: Timeline, form: str, output: Path | None, *, everything: bool, summary: bool, width: int | None
) -> None:
    """Write it in one of the forms that are files."""
    from tracer.view.write import write_bytes, write_json, write_text
    from tracer.why import explain

    if form == "json":
        from tracer.view.json import timeline as as_json

        write_json(as_json(timeline), output)
    elif form == "html":
        from tracer.view.page.files import one_file
        from tracer.view.page.room import as_json as as_page
        from tracer.view.text import plain

        shown = as_page(timeline, everything=everything)
        write_text(one_file([shown], f"{plain(timeline.room.name or timeline.room.sid)} · tracer"), output)
    elif form == "svg":
        from tracer.view.svg import as_svg

        write_text(as_svg(timeline, everything=everything, summary=summary, width=width), output)
    elif form == "mermaid":
        from tracer.view.mermaid import mermaid

        write_text(mermaid(timeline, everything=everything), output)
    elif form == "csv":
        from tracer.view.csv import as_csv

        write_text(as_csv(timeline, explain(timeline).findings), output)
    else:
        from tracer.view.perfetto import perfetto

        write_bytes(perfetto(timeline, explain(timeline)), output)
