"""An OpenTelemetry backend of a user's, and how two of them are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.otlp_backend import OtlpBackend

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Backend"]

UNTIMELY = {"wait_for_audio_track"}
"""Spans that differ with the machine's load, and not with the call: the agent does not wait for the caller's audio."""


class Backend(OtlpBackend):
    """One user's, at an address on loopback."""

    def names(self) -> set[str]:
        return {span.name for span in self.got}

    def shape(self, late: Collection[str] = ()) -> set[tuple[str, ...]]:
        """What there is, without ids and times: each span by its name, its attributes' keys and those above it.

        A parent that is not here is shown as such, and so is a span that came twice. Spans of the names ``late`` are
        taken for lost.
        """
        got = [span for span in self.got if span.name not in late]
        by_id = {span.span_id: span for span in got}
        found: list[tuple[str, ...]] = []
        for span in got:
            if span.name in UNTIMELY:
                continue
            path, above = [span.name], span
            while above.parent_span_id:
                if above.parent_span_id not in by_id:
                    path.append("missing")
                    break
                above = by_id[above.parent_span_id]
                path.append(above.name)
            keys = sorted(
                f"{one.key}={one.value.bool_value}" if one.key == "found none" else one.key for one in span.attributes
            )
            found.append((*path, f"{len({s.trace_id for s in (span, above)})} trace", *keys))
        return set(found)
