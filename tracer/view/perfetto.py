"""A room as a trace for Perfetto: a track for each lane, a slice for each bar, an instant for each moment.

The format is that of https://perfetto.dev/docs/reference/synthetic-track-event, in protobuf: times are whole ns, and
tracks have parents, which Chrome's JSON has neither of. Its few messages are declared here, with the numbers of
protos/perfetto/trace/trace_packet.proto (v59.1), which have not changed since they were given.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tracer import ids
from tracer.view.lanes import lanes
from tracer.view.text import plain
from tracer.view.wording import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.timeline import Timeline
    from tracer.view.lanes import Bar, Lane
    from tracer.why import Explanation

__all__ = ["perfetto"]

BEGIN, END, INSTANT = 1, 2, 3
"""Types of a TrackEvent."""
EXPLICIT = 3
"""Of a track's children: in the order of their ranks."""
BOOTTIME, REALTIME = 6, 1
"""Clocks: Perfetto takes every time for the first, and shows the second where a snapshot says how they are related."""
WRITER = 1
"""Who wrote a packet: one sequence."""

_F = descriptor_pb2.FieldDescriptorProto
_TEXT, _U64, _U32, _I32, _ENUM = _F.TYPE_STRING, _F.TYPE_UINT64, _F.TYPE_UINT32, _F.TYPE_INT32, _F.TYPE_INT32
_MESSAGES: dict[str, dict[str, tuple[int, int | str]]] = {
    "Trace": {"packet": (1, "*Packet")},
    "Packet": {
        "clock_snapshot": (6, "Snapshot"),
        "timestamp": (8, _U64),
        "trusted_packet_sequence_id": (10, _U32),
        "track_event": (11, "Event"),
        "sequence_flags": (13, _U32),
        "track_descriptor": (60, "Track"),
    },
    "Snapshot": {"clocks": (1, "*Clock")},
    "Clock": {"clock_id": (1, _U32), "timestamp": (2, _U64)},
    "Track": {
        "uuid": (1, _U64),
        "name": (2, _TEXT),
        "parent_uuid": (5, _U64),
        "child_ordering": (11, _ENUM),
        "sibling_order_rank": (12, _I32),
        "description": (14, _TEXT),
    },
    "Event": {
        "debug_annotations": (4, "*Note"),
        "type": (9, _ENUM),
        "track_uuid": (11, _U64),
        "categories": (22, "*text"),
        "name": (23, _TEXT),
    },
    "Note": {"string_value": (6, _TEXT), "name": (10, _TEXT)},
}
"""The fields of each message that are used, each with its number and type; ``*`` for one that is repeated."""


def perfetto(timeline: Timeline, explanation: Explanation | None = None) -> bytes:
    """The trace, as https://ui.perfetto.dev and its trace_processor open it. Text in it is harmless to print."""
    trace = _message("Trace")()
    zero = max(timeline.zero, 0)
    clocks = [{"clock_id": clock, "timestamp": zero} for clock in (BOOTTIME, REALTIME)]
    trace.packet.add(trusted_packet_sequence_id=WRITER, sequence_flags=1, clock_snapshot={"clocks": clocks})
    drawn = lanes(timeline, explanation)
    tracks: dict[str, int] = {}
    for rank, lane in enumerate(drawn):
        tracks[lane.id] = _track(trace, lane, rank, tracks.get(lane.parent, 0))
        for number, layer in enumerate(_layers(lane, timeline.now)):
            track = tracks[lane.id] if not number else _track(trace, lane, rank, tracks[lane.id], f"{number}")
            for time, kind, bar in _ordered(layer):
                event: dict[str, Any] = {"type": kind, "track_uuid": track}
                if bar:
                    event |= {"name": bar.text or bar.form.value, "categories": [bar.form.value]}
                _packet(trace, time, event)
    room = tracks[timeline.room.sid] if timeline.room.sid in tracks else next(iter(tracks.values()), 0)
    for step in timeline.steps:
        what, detail = say(timeline, step)
        told = {
            "detail": detail,
            "kind": step.kind.value,
            "subject": plain(step.subject),
            "earliest": str(step.earliest),
            "latest": str(step.latest),
            "clock": plain(step.clock),
            "witnesses": ", ".join(map(plain, sorted(step.witnesses))),
        }
        notes = [{"name": name, "string_value": text} for name, text in told.items() if text]
        track = tracks.get(step.subject, room)
        about = {"type": INSTANT, "track_uuid": track, "name": what, "categories": ["moment"]}
        _packet(trace, step.time, about | {"debug_annotations": notes})
    packed: bytes = trace.SerializeToString()
    return packed


def _track(trace: Any, lane: Lane, rank: int, parent: int, more: str = "") -> int:
    uuid = ids.span_id(f"lane{more}", lane.id)
    about = {"uuid": uuid, "name": lane.label, "child_ordering": EXPLICIT, "sibling_order_rank": rank}
    if parent:
        about["parent_uuid"] = parent
    if lane.note:
        about["description"] = lane.note
    trace.packet.add(trusted_packet_sequence_id=WRITER, track_descriptor=about)
    return uuid


def _packet(trace: Any, time: int, event: dict[str, Any]) -> None:
    trace.packet.add(trusted_packet_sequence_id=WRITER, timestamp=max(time, 0), track_event=event)


def _layers(lane: Lane, now: int) -> list[list[tuple[int, int, Bar]]]:
    """The lane's bars, each from when until when; those that overlap without one holding the other apart."""
    layers: list[list[tuple[int, int, Bar]]] = []
    stretches = [(bar.start, max(now if bar.end is None else bar.end, bar.start), bar) for bar in lane.bars]
    for one in sorted(stretches, key=lambda stretch: (stretch[0], -stretch[1])):
        layer = next((layer for layer in layers if all(one[1] <= end or end <= one[0] for _, end, _ in layer)), None)
        if layer is None:
            layers.append([one])
        else:
            layer.append(one)
    return layers


def _ordered(layer: list[tuple[int, int, Bar]]) -> Iterator[tuple[int, int, Bar | None]]:
    """Begins and ends in the order of time: what began last ends first, and before the next begins."""
    open_ends: list[int] = []
    for start, end, bar in layer:
        while open_ends and open_ends[-1] <= start:
            yield open_ends.pop(), END, None
        yield start, BEGIN, bar
        open_ends.append(end)
    while open_ends:
        yield open_ends.pop(), END, None


@cache
def _message(name: str) -> Any:
    """The class of a message."""
    file = descriptor_pb2.FileDescriptorProto(name="tracer/perfetto.proto", package="tracer.perfetto", syntax="proto2")
    for message, fields in _MESSAGES.items():
        made = file.message_type.add(name=message)
        for field, (number, kind) in fields.items():
            word = kind.removeprefix("*") if isinstance(kind, str) else ""
            label = _F.LABEL_REPEATED if isinstance(kind, str) and kind.startswith("*") else _F.LABEL_OPTIONAL
            if word in _MESSAGES:
                made.field.add(
                    name=field, number=number, label=label, type=_F.TYPE_MESSAGE, type_name=f".tracer.perfetto.{word}"
                )
            else:
                made.field.add(name=field, number=number, label=label, type=_TEXT if word else kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tracer.perfetto.{name}"))
