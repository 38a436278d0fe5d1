"""What is in a store, in a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from tracer.units import plural, rfc3339
from tracer.view.text import plain

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.store import StoreSize

__all__ = ["StoreView", "as_json"]


def as_json(location: str, size: StoreSize) -> dict[str, Any]:
    """The store as JSON types, schema ``tracer.store/1``; without rooms the times are null."""
    return {
        "schema": "tracer.store/1",
        "store": location,
        "used_bytes": size.used,
        "free_bytes": size.free,
        "rooms": size.rooms,
        "oldest": rfc3339(size.oldest),
        "newest": rfc3339(size.newest),
        "requests": size.evidence,
        "unsent_spans": size.unsent,
        "refused_spans": size.refused,
    }


class StoreView:
    """A Rich renderable: a few lines."""

    def __init__(self, location: str, size: StoreSize) -> None:
        self.location = location
        self.size = size

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        size = self.size
        yield Text(plain(self.location))
        free = f", and {_bytes(size.free)} free, to be used next" if size.free else ""
        yield Text(f"  {_bytes(size.used)} in use{free}")
        oldest, newest = rfc3339(size.oldest), rfc3339(size.newest)
        since = f", from {_minute(oldest)} to {_minute(newest)} UTC" if oldest and newest else ""
        yield Text(f"  {size.rooms:,} {plural(size.rooms, 'room')}{since}")
        if size.evidence:
            yield Text(f"  {size.evidence:,} {plural(size.evidence, 'request')} kept as received")
        if size.unsent:
            yield Text(f"  {size.unsent:,} {plural(size.unsent, 'span')} to be sent to the OpenTelemetry backend")
        if size.refused:
            yield Text(f"  {size.refused:,} {plural(size.refused, 'span')} that it refused")


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def _bytes(count: int) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:.3g} GB"
