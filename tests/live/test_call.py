"""One real call on a real server, held against what the server's own API said meanwhile, and read back from Jaeger."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.live import calls
from tests.live.calls import LIMIT, Told, asking, wait_for
from tracer import keys
from tracer.demo.stage import Stage
from tracer.export.spans import spans
from tracer.latency.gaps import Paths
from tracer.moment import Kind
from tracer.store import open_reader
from tracer.timeline.fold import fold
from tracer.view import json as view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.local_servers import Jaeger, LiveKitServer
    from tracer.timeline.timeline import Timeline

ROOM = "call"
CALL_SECONDS = 6.5
"""Longer than the 5 s after which the server lists the job in ListDispatch."""


@dataclass
class Call:
    told: Told
    watched: list[dict[str, Any]]
    """What the page had of the room, again and again while it was open and when it was over."""
    timeline: Timeline
    stage: Stage
    sid: str
    trace: list[dict[str, Any]]


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  loopback
        return json.load(answer)


@contextmanager
def watching(port: int, room: str) -> Iterator[list[dict[str, Any]]]:
    """Ask for the room of this name as the page does: whenever the page is told that something changed."""
    seen: list[dict[str, Any]] = []
    over = threading.Event()

    def watch() -> None:
        base = f"http://127.0.0.1:{port}/api"
        with urllib.request.urlopen(f"{base}/changes", timeout=30) as changes:  # noqa: S310  loopback
            while not over.is_set() and (line := changes.readline()):
                if line.startswith(b"data:"):
                    found = [one for one in fetch(f"{base}/rooms?search={room}")["rooms"] if one["name"] == room]
                    seen.extend(fetch(f"{base}/rooms/{one['sid']}") for one in found[:1])

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        # It ends with the next change, or with the receiver.


@pytest.fixture(scope="module")
def call(
    livekit: LiveKitServer, webhook_port: int, jaeger: Jaeger, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Call]:
    folder = tmp_path_factory.mktemp("call")
    with ExitStack() as stack:
        stage = stack.enter_context(Stage(folder, folder / "call.db", webhook_port))
        stage.export["OTEL_EXPORTER_OTLP_ENDPOINT"] = jaeger.otlp_endpoint
        server = livekit.settings
        receiver = stage.serve(server)
        stage.agent(server)
        began = time.time_ns()
        with asking(server, ROOM) as told, watching(stage.port, ROOM) as watched:
            calls.call(stage, server, ROOM, CALL_SECONDS, tier="gold")
            receiver.wait_until(lambda: calls.is_over(stage, ROOM, began), LIMIT, what="told of the end")
            wait_for(lambda: bool(watched) and not watched[-1]["room"]["open"], "on the page")
        timeline = stage.timeline(ROOM)
        url = f"{jaeger.query_url}/api/traces/{timeline.trace_id}"

        def exported() -> list[dict[str, Any]]:
            try:
                return list(fetch(url)["data"][0]["spans"])
            except (OSError, LookupError):
                return []

        wait_for(lambda: {"room", "job", "job_entrypoint"} <= {s["operationName"] for s in exported()}, "in Jaeger")
        trace = fetch(url)["data"][0]
        for span in trace["spans"]:
            span["service"] = trace["processes"][span["processID"]]["serviceName"]
        yield Call(told, watched, timeline, stage, timeline.room.sid, trace["spans"])


def test_the_whole_life_of_a_call_is_there_in_order(call: Call) -> None:
    seen = [step.kind for step in call.timeline.steps]
    expected = [
        Kind.ROOM_CREATED,
        Kind.DISPATCH_CREATED,
        Kind.PARTICIPANT_JOINING,
        Kind.PARTICIPANT_ACTIVE,
        Kind.JOB_OFFERED,
        Kind.JOB_RECEIVED,
        Kind.JOB_ACCEPTED,
        Kind.JOB_ASSIGNED,
        Kind.JOB_PROCESS_ASSIGNED,
        Kind.JOB_ENTRYPOINT_STARTED,
        Kind.AGENT_CONNECTING,
        Kind.AGENT_CONNECTED,
        Kind.AGENT_WAITING_FOR_PARTICIPANT,
        Kind.AGENT_PARTICIPANT_READY,
        Kind.SESSION_STARTING,
        Kind.SESSION_STARTED,
        Kind.SESSION_CLOSED,
        Kind.AGENT_DISCONNECTED,
        Kind.JOB_ENDED,
    ]
    # The dispatch and the join that makes the room can lie within a millisecond: of the join, no more is told.
    beside = (Kind.DISPATCH_CREATED, Kind.PARTICIPANT_ACTIVE)
    first = [seen.index(kind) for kind in expected if kind not in beside]
    assert first == sorted(first)
    assert seen.index(Kind.ROOM_CREATED) < seen.index(Kind.DISPATCH_CREATED) < seen.index(Kind.JOB_OFFERED)
    assert set(expected) <= set(seen)
    assert Kind.ROOM_FINISHED in seen
    assert not [step for step in call.timeline.steps if step.contradicted]


def test_the_page_is_told_of_it_as_it_happens(call: Call) -> None:
    pages = [page for page in call.watched if page["room"]["sid"] == call.sid]
    rows = [len(page["rows"]) for page in pages]
    assert rows == sorted(rows), "nothing that was shown is gone"
    assert len(set(rows)) > 4, "bit by bit"
    first, last = pages[0], pages[-1]
    assert first["room"]["open"]
    assert len(first["rows"]) < len(last["rows"]) / 2
    assert not last["room"]["open"]
    open_bars = [bar for page in pages if page["room"]["open"] for lane in page["lanes"] for bar in lane["bars"]]
    assert any(bar["end_ms"] is None for bar in open_bars), "what goes on has no end"
    assert {lane["of"] for lane in last["lanes"]} >= {"room", "caller", "agent", "dispatch", "job"}
    assert last["room"]["trace_id"] == call.timeline.trace_id


def test_times_are_those_of_the_servers_own_api(call: Call) -> None:
    room = call.told.rooms[call.sid]
    created = call.timeline.room.created
    assert created
    assert created.earliest // 1_000_000 == room.creation_time_ms
    assert call.timeline.room.name == room.name
    assert {p.sid for p in call.timeline.participants} == set(call.told.participants)
    for participant in call.timeline.participants:
        told = call.told.participants[participant.sid]
        joining, active = participant.at(Kind.PARTICIPANT_JOINING), participant.at(Kind.PARTICIPANT_ACTIVE)
        assert joining
        assert active
        assert joining.earliest // 1_000_000 == told.joined_at_ms
        assert joining.time < active.time
        assert participant.identity == told.identity
        assert participant.attributes.items() >= {key: told.attributes[key] for key in told.attributes}.items() or (
            participant.is_agent  # an agent's attributes change to its very end
        )
        assert participant.state == "DISCONNECTED"


def test_dispatch_and_job_are_the_servers_to_the_nanosecond(call: Call) -> None:
    [dispatch] = call.timeline.dispatches
    [job] = call.timeline.jobs
    told = call.told.dispatches[dispatch.sid]
    assert dispatch.time(Kind.DISPATCH_CREATED) == told.state.created_at
    assert (dispatch.agent_name, dispatch.mode, dispatch.jobs) == ("", "automatic", (job.sid,))
    [listed] = told.state.jobs
    assert job.sid == listed.id
    assert job.time(Kind.JOB_OFFERED) == listed.state.started_at
    assert job.worker_id == listed.state.worker_id
    assert job.participant_identity == listed.state.participant_identity
    agent = call.timeline.agent_of(job)
    assert agent
    assert agent.sid in call.told.participants


def test_a_joined_of_some_milliseconds_is_caught(call: Call) -> None:
    seen = [step for p in call.timeline.participants if (step := p.at(Kind.PARTICIPANT_JOINED))]
    assert seen, "the observer looks every 12 ms while a room is changing"
    assert all(step.witnesses == ("observer",) for step in seen)


def test_the_room_was_made_by_the_caller_and_closed_when_they_had_left(call: Call) -> None:
    assert call.timeline.creator is not None
    assert call.timeline.creator.identity == "ada"
    assert call.timeline.end_reason == "departure_timeout"


def test_the_agent_joins_while_it_connects(call: Call) -> None:
    [job] = call.timeline.jobs
    agent = call.timeline.agent_of(job)
    connecting, connected = job.at(Kind.AGENT_CONNECTING), job.at(Kind.AGENT_CONNECTED)
    assert agent
    assert connecting
    assert connected
    joining = agent.at(Kind.PARTICIPANT_JOINING)
    assert joining
    assert connecting.earliest <= joining.latest
    assert joining.earliest <= connected.latest


def test_the_way_to_readiness_has_no_holes(call: Call) -> None:
    gaps = Paths(call.timeline).first
    assert gaps[0].start.kind is Kind.ROOM_CREATED
    assert gaps[-1].end.kind is Kind.SESSION_STARTED
    assert sum(gap.ns for gap in gaps) == gaps[-1].end.time - gaps[0].start.time


def test_jaeger_has_each_span_exactly_once_under_one_root(call: Call) -> None:
    ids = Counter(span["spanID"] for span in call.trace)
    assert not [span_id for span_id, count in ids.items() if count > 1]
    parents = {span["spanID"]: [ref["spanID"] for ref in span["references"]] for span in call.trace}
    roots = [span["operationName"] for span in call.trace if not parents[span["spanID"]]]
    assert roots == ["room"]
    assert not {parent for known in parents.values() for parent in known} - ids.keys()
    assert {span["traceID"] for span in call.trace} == {call.timeline.trace_id}


def test_jaegers_tree_is_the_one_promised(call: Call) -> None:
    names = {span["spanID"]: (span["service"], span["operationName"]) for span in call.trace}
    edges = Counter(
        (names[ref["spanID"]][1], *names[span["spanID"]]) for span in call.trace for ref in span["references"]
    )
    assert edges["room", "livekit.room", "room_started"] == 1
    assert edges["room", "livekit.dispatch", "dispatch"] == 1
    assert edges["dispatch", "livekit.dispatch", "job"] == 1
    assert edges["job", "livekit-agent", "job_entrypoint"] == 1
    assert edges["job_entrypoint", "livekit-agent", "room_connect"] == 1
    for kind in ("participant STANDARD", "participant AGENT"):
        assert edges["room", "livekit.participant", kind] == 1
        assert edges[kind, "livekit.participant", "ACTIVE"] == 1


def test_jaeger_has_what_the_store_says(call: Call) -> None:
    reader = open_reader(call.stage.store)
    ours = {f"{span.span_id:016x}": span for span in spans(fold(call.sid, reader.moments(call.sid)))}
    reader.close()
    exported = {span["spanID"]: span for span in call.trace if span["service"].startswith("livekit.")}
    assert exported.keys() == ours.keys()
    for span_id, span in ours.items():
        seen = exported[span_id]
        assert seen["operationName"] == span.name
        if span.name == "room":
            assert abs(seen["startTime"] - span.start / 1000) <= 1  # Jaeger keeps microseconds
    events = [log for span in exported.values() for log in span["logs"]]
    told = {field["value"] for log in events for field in log["fields"] if field["key"] == keys.WITNESS}
    assert told == {"webhook", "observer", "agent"}


def test_no_span_name_holds_an_identity_and_nothing_holds_a_secret(call: Call) -> None:
    assert not [s["operationName"] for s in call.trace if "ada" in s["operationName"] or "AJ_" in s["operationName"]]
    kept = json.dumps(call.trace) + json.dumps(view.timeline(call.timeline))
    files = b"".join(path.read_bytes() for path in call.stage.folder.glob("call.db*"))
    for room in call.told.rooms.values():
        assert room.turn_password
        assert room.turn_password not in kept
        assert room.turn_password.encode() not in files
    assert b"eyJ" not in files, "a JWT is in the store"
