"""Read back by Perfetto's own messages, and held to what its trace processor needs."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.unknown_fields import UnknownFieldSet
from perfetto.protos.perfetto.trace import perfetto_trace_pb2  # type: ignore[import-untyped]

from tests.calls.expected import EXPECTED
from tests.moments import ROOM, call
from tracer.service.replay import timelines
from tracer.timeline.fold import fold
from tracer.view.lanes import lanes
from tracer.view.perfetto import perfetto
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline

CALLS = Path(__file__).parents[1] / "calls"
BEGIN, END, INSTANT = 1, 2, 3


def read(timeline: Timeline) -> Any:
    trace = perfetto_trace_pb2.Trace()
    trace.ParseFromString(perfetto(timeline, explain(timeline)))
    for packet in trace.packet:
        for message in (packet, packet.track_event, packet.track_descriptor, packet.clock_snapshot):
            assert not len(UnknownFieldSet(message)), message
    return trace


@pytest.mark.parametrize("name", sorted(EXPECTED)[::7])
def test_every_slice_ends_in_the_order_that_perfetto_closes_them_in(name: str) -> None:
    for timeline in timelines(CALLS / f"{name}.jsonl.gz"):
        trace = read(timeline)
        named = {p.track_descriptor.uuid for p in trace.packet if p.HasField("track_descriptor")}
        begun: defaultdict[int, list[int]] = defaultdict(list)
        stretches = []
        for packet in trace.packet:
            event = packet.track_event
            if not packet.HasField("track_event"):
                continue
            assert event.track_uuid in named
            if event.type == BEGIN:
                assert event.name
                begun[event.track_uuid].append(packet.timestamp)
            elif event.type == END:
                stretches.append((begun[event.track_uuid].pop(), packet.timestamp))
        assert not any(begun.values())
        bars = [bar for lane in lanes(timeline, explain(timeline)) for bar in lane.bars]
        assert sorted(stretches) == sorted(
            (bar.start, max(timeline.now if bar.end is None else bar.end, bar.start)) for bar in bars
        )


def test_every_moment_is_an_instant_and_every_lane_a_track_below_its_own() -> None:
    timeline = fold(ROOM, call())
    trace = read(timeline)
    instants = [p for p in trace.packet if p.HasField("track_event") and p.track_event.type == INSTANT]
    assert [p.timestamp for p in instants] == [step.time for step in timeline.steps]
    notes = {note.name: note.string_value for note in instants[0].track_event.debug_annotations}
    assert notes["kind"] == timeline.steps[0].kind
    tracks = {p.track_descriptor.name: p.track_descriptor for p in trace.packet if p.HasField("track_descriptor")}
    assert tracks["agent 1"].uuid == tracks["room_connect"].parent_uuid
    first = trace.packet[0]
    assert first.sequence_flags == 1
    assert {clock.clock_id: clock.timestamp for clock in first.clock_snapshot.clocks} == {
        perfetto_trace_pb2.BUILTIN_CLOCK_BOOTTIME: timeline.zero,
        perfetto_trace_pb2.BUILTIN_CLOCK_REALTIME: timeline.zero,
    }
    assert {packet.trusted_packet_sequence_id for packet in trace.packet} == {1}
