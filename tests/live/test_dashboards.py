"""What dashboards/ promises, held against a real Jaeger: rooms are found, links lead there, and a trace reads well.

The addresses are those of Jaeger's pages; its API takes the same parameters.
"""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from livekit.api import AccessToken, RoomAgentDispatch, RoomConfiguration, VideoGrants

from tests.live.calls import is_over, wait_for
from tests.live.jaeger_query import trace_of
from tracer import ids, keys
from tracer.demo.stage import Stage
from tracer.errors import UnknownRoomError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.local_servers import Jaeger, LiveKitServer
    from tracer.timeline.timeline import Timeline

DASHBOARDS = Path(__file__).parents[2] / "dashboards"
UI = json.loads((DASHBOARDS / "jaeger-ui.json").read_text(encoding="utf-8"))
ROWS = re.findall(
    r"^\| (.+) \| `(.+)` \| `(.+)` \|$", (DASHBOARDS / "README.md").read_text(encoding="utf-8"), re.MULTILINE
)
AGENT = "front desk: Zoë & co"
ROOM = "room 1 + 2/3 & more"
LIMIT = 60.0


@dataclass
class Called:
    jaeger: Jaeger
    timeline: Timeline
    trace: list[dict[str, Any]]
    lonely: str
    """Trace of a room whose agent never came."""
    both: list[dict[str, Any]]
    """The spans of both traces."""

    def found(self, address: str) -> list[str]:
        """The traces an address of Jaeger's search leads to."""
        url = f"{self.jaeger.query_url}/api/traces?{urlencode(parameters(address))}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  loopback
            return [trace["traceID"] for trace in json.load(answer)["data"]]


@pytest.fixture(scope="module")
def called(
    livekit: LiveKitServer, webhook_port: int, jaeger: Jaeger, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Called]:
    folder, server = tmp_path_factory.mktemp("dashboards"), livekit.settings
    with Stage(folder, folder / "t.db", webhook_port) as stage:
        stage.export = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_endpoint}
        stage.serve(server)
        stage.agent(server, AGENT_NAME=AGENT)
        began = time.time_ns()
        for room, agent in ((ROOM, AGENT), ("lonely", "nobody has this name")):
            token = (
                AccessToken(server.api_key, server.api_secret)
                .with_identity("ada")
                .with_grants(VideoGrants(room_join=True, room=room))
                .with_room_config(RoomConfiguration(agents=[RoomAgentDispatch(agent_name=agent)]))
            )
            caller = stage.caller("ada", server.url, token.to_jwt(), 3.0)
            assert caller.wait(LIMIT)
            assert caller.returncode == 0, caller.last_lines(5)
        wait_for(lambda: is_over(stage, ROOM, began), "over")
        timeline = stage.timeline(ROOM)
        names = {"room", "participant STANDARD", "participant AGENT", "dispatch", "job", "job_entrypoint"}
        wait_for(lambda: names <= {s["operationName"] for s in trace_of(jaeger, timeline.trace_id)}, "in Jaeger")

        def lonely() -> str:
            try:
                return stage.timeline("lonely").trace_id
            except UnknownRoomError:
                return ""

        wait_for(lambda: {"room", "dispatch"} <= {s["operationName"] for s in trace_of(jaeger, lonely())}, "in Jaeger")
        trace = trace_of(jaeger, timeline.trace_id)
        yield Called(jaeger, timeline, trace, lonely(), trace + trace_of(jaeger, lonely()))


def parameters(address: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(address).query, keep_blank_values=True).items()}


def search(service: str, tags: dict[str, Any]) -> str:
    return f"search?service={quote(service)}&tags={quote(json.dumps(tags))}"


def test_the_readme_says_how_to_find_a_room() -> None:
    assert {"the room's name", "who called", "the agent's name"} <= {what for what, _, _ in ROWS}


@pytest.mark.parametrize(("service", "key"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_room_is_found_by(called: Called, service: str, key: str) -> None:
    values = {
        (span["traceID"], span["attributes"][key])
        for span in called.both
        if span["service"] == service and key in span["attributes"]
    }
    assert values
    for trace, value in values:
        assert trace in called.found(search(service, {key: value})), value


def test_what_they_are_found_by_is_what_people_know(called: Called) -> None:
    for service, tag in (
        ("livekit.room", {keys.ROOM_NAME: ROOM}),
        ("livekit.participant", {keys.PARTICIPANT_IDENTITY: "ada"}),
        ("livekit.dispatch", {keys.AGENT_NAME: AGENT}),
    ):
        assert called.timeline.trace_id in called.found(search(service, tag))
    assert called.lonely not in called.found(search("livekit.dispatch", {keys.AGENT_NAME: AGENT}))


def filled(pattern: dict[str, str], value: Any) -> str:
    """As Jaeger's pages do it: the value goes in with encodeURIComponent, the rest stays."""
    assert set(re.findall(r"#\{([^{}]*)\}", pattern["url"] + pattern["text"])) == {pattern["key"]}
    return pattern["url"].replace("#{" + pattern["key"] + "}", quote(str(value), safe="!'()*-._~"))


def test_every_link_on_a_tag_leads_to_a_trace(called: Called) -> None:
    used = set()
    for span in called.both:
        for pattern in UI["linkPatterns"]:
            of_agents = pattern["key"] == keys.CONVERSATION_ID and span["traceID"] == called.lonely
            if pattern["key"] in span["attributes"] and not of_agents:
                used.add(pattern["key"])
                address = filled(pattern, span["attributes"][pattern["key"]])
                if address.startswith("trace/"):
                    assert trace_of(called.jaeger, address.removeprefix("trace/")), address
                else:
                    assert span["traceID"] in called.found(address), address
    assert used == {pattern["key"] for pattern in UI["linkPatterns"]}


def failures(address: str, trace: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The spans a search for errors is after. Jaeger 2.13, which tests may have, does not find errors in its memory."""
    asked = parameters(address)
    tags = json.loads(asked["tags"])
    assert tags.pop("error") == "true"
    return [
        span
        for span in trace
        if span["service"] == asked["service"]
        and span["operationName"] == asked.get("operation", span["operationName"])
        and span["attributes"].get("error") is True
        and tags.items() <= span["attributes"].items()
    ]


def test_the_menu_finds_rooms_and_what_went_wrong(called: Called) -> None:
    items = {item["label"]: item["url"] for group in UI["menu"] for item in group["items"]}
    lonely = trace_of(called.jaeger, called.lonely)
    assert {called.timeline.trace_id, called.lonely} <= {*called.found(items.pop("Rooms of the last two days"))}
    failed = called.found(items.pop("Calls that failed"))
    assert called.lonely in failed
    assert called.timeline.trace_id not in failed
    [room] = [span for span in lonely if span["operationName"] == "room"]
    facts = room["attributes"]
    assert (facts[keys.WELL], facts[keys.CAUSE], facts["error"]) == (False, "no-worker", True)
    assert facts["otel.status_description"]
    assert {span["attributes"].get(keys.WELL) for span in called.trace if span["operationName"] == "room"} == {True}
    agentless = items.pop("Calls without an agent")
    assert failures(agentless, lonely)
    assert not failures(agentless, called.trace)
    assert not failures(items.pop("Callers who gave up"), called.both)
    assert not failures(items.pop("Agents that were lost"), called.both)
    assert all(address.startswith("https://") for address in items.values())


def read(trace: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The spans from top to bottom as Jaeger's pages show them: children by start, and else as the API gives them."""
    children = defaultdict(list)
    for span in trace:
        children[span["references"][0]["spanID"] if span["references"] else None].append(span)

    def below(parent: str | None) -> Iterator[dict[str, Any]]:
        for span in sorted(children[parent], key=lambda span: span["startTime"]):
            yield span
            yield from below(span["spanID"])

    return list(below(None))


def test_a_trace_reads_in_the_order_of_life(called: Called) -> None:
    rows = read(called.trace)
    assert len(rows) == len(called.trace)
    ours = [row["operationName"] for row in rows if row["service"].startswith("livekit.")]
    # What begins in one microsecond comes in any order: a dispatch can be made with its room.
    assert ours[0] == "room"
    assert "room_started" in ours[: 2 + ours.count("dispatch") + ours.count("job")]
    assert ours.index("dispatch") + 1 == ours.index("job")
    for start in (at for at, name in enumerate(ours) if name.startswith("participant ")):
        states = [name for name in ours[start + 1 : start + 4] if name.isupper()]
        assert states == [name for name in ("JOINING", "JOINED", "ACTIVE") if name in states]
    agents = dict.fromkeys(row["operationName"] for row in rows if row["service"] == "livekit-agent")
    life = ["job_entrypoint", "room_connect", "wait_for_participant", "agent_session", "session_start", "session_close"]
    assert [name for name in agents if name in life] == life


def test_whose_life_began_first_comes_first(called: Called) -> None:
    lives = [*called.timeline.participants, *called.timeline.dispatches]
    named = {f"{ids.span_id('participant', life.sid):016x}": life.sid for life in lives}
    named |= {f"{ids.span_id('dispatch', life.sid):016x}": life.sid for life in lives}
    shown = [named[row["spanID"]] for row in read(called.trace) if row["spanID"] in named]
    assert sorted(shown) == sorted(life.sid for life in lives)
    began = [called.timeline.by_sid[sid].steps[0].time // 1000 for sid in shown]
    assert began == sorted(began)
