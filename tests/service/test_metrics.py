"""`/metrics`, as Prometheus and as strangers ask for it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics_families

from tests.moments import moment
from tests.receiving import Client, talk
from tests.signed import EVENTS
from tests.signed import event as signed_event
from tracer import keys
from tracer.errors import StoreError
from tracer.moment import Kind
from tracer.service import standing
from tracer.service.metrics import Metrics
from tracer.service.standing import Standing
from tracer.store import Arrival, Reader
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.store.sqlite import SqliteStore

TOKEN = "what-readers-know"  # noqa: S105  of the test
OPEN = "application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5"


async def asked(client: Client, path: str = "/metrics", **headers: str) -> tuple[int, str, str]:
    async with client.session.get(path, headers=headers) as got:
        return got.status, await got.text(), got.headers["Content-Type"]


def of_worker(kind: Kind, worker: str, ago: float, **told: Any) -> Any:
    at = time.time_ns() - round(ago * NS_PER_S)
    known = {str(getattr(keys, name.upper())): value for name, value in told.items()}
    return moment(kind, worker, at, room="", witness="agent", clock="agent", told=known)


def values(path: Path) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("tracer_"), *sample.labels.values()): sample.value
        for family in Standing(str(path)).collect()
        for sample in family.samples
    }


def test_prometheus_gets_its_text_and_openmetrics_where_it_asks_for_it(path: Path) -> None:
    async def test(client: Client) -> None:
        assert await client.webhook(signed_event("room_started")) == 200
        status, text, kind = await asked(client)
        assert (status, kind.partition(";")[0]) == (200, "text/plain")
        assert "# EOF" not in text
        status, text, kind = await asked(client, Accept=OPEN)
        assert (status, kind.partition(";")[0]) == (200, "application/openmetrics-text")
        families = {family.name: family for family in open_metrics_families(text)}  # type: ignore[no-untyped-call]
        assert [sample.value for sample in families["tracer_webhooks"].samples] == [1]
        assert {"tracer_rooms_open", "tracer_write_queue", "tracer_webhook_lag_seconds"} <= families.keys()
        assert all(family.documentation for family in families.values())

    talk(path, test, metrics=Metrics(str(path)))


@pytest.mark.parametrize("accept", ["", "x" * 4000, "application/openmetrics-text;version=x.1;escaping=\N{SNOWMAN}"])
def test_whatever_is_asked_for_is_answered(path: Path, accept: str) -> None:
    async def test(client: Client) -> None:
        status, _, kind = await asked(client, Accept=accept)
        assert status == 200
        assert "x.1" not in kind

    talk(path, test)


def test_one_may_ask_for_some_of_it(path: Path) -> None:
    async def test(client: Client) -> None:
        _, text, _ = await asked(client, "/metrics?name[]=tracer_webhooks_total&name[]=tracer_rooms_open")
        shown = {line.split()[0] for line in text.splitlines() if not line.startswith("#")}
        assert shown == {"tracer_webhooks_total", "tracer_rooms_open"}

    talk(path, test, metrics=Metrics(str(path)))


def test_webhooks_that_come_late_are_seen(path: Path) -> None:
    async def lag(client: Client) -> tuple[int, float]:
        _, text, _ = await asked(client)
        known = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("tracer_webhook_lag"))
        return int(float(known['tracer_webhook_lag_seconds_bucket{le="1.0"}'])), float(
            known["tracer_webhook_lag_seconds_sum"]
        )

    async def test(client: Client) -> None:
        now = int(time.time())
        for number, ago in enumerate((0, 8)):
            sent = {**EVENTS[0], "id": f"EV_{number}", "createdAt": str(now - ago)}
            assert await client.webhook(sent) == 200
        prompt, total = await lag(client)
        assert prompt == 1
        assert 7 <= total < 12
        odd: tuple[Any, ...] = (None, "soon", {}, "9" * 40, -5)
        for number, nonsense in enumerate(odd):
            await client.webhook({**EVENTS[0], "id": f"EV_odd_{number}", "createdAt": nonsense})
        assert (await lag(client))[0] == 1

    talk(path, test)


def test_only_who_may_read_rooms_reads_them(path: Path) -> None:
    async def with_token(client: Client) -> None:
        assert (await asked(client))[0] == 401
        assert (await asked(client, Authorization="Bearer another"))[0] == 401
        assert (await asked(client, Authorization=f"Bearer {TOKEN}"))[0] == 200
        assert (await asked(client, Authorization=f"Bearer {TOKEN}", Origin="https://evil.example"))[0] == 403

    async def without(client: Client) -> None:
        assert (await asked(client))[0] == 200
        assert (await asked(client, Host="rebound.example"))[0] == 403
        client.receiver._host = "0.0.0.0"  # noqa: S104  as with --host
        status, text, _ = await asked(client)
        assert status == 403
        assert "TRACER_READ_TOKEN" in text

    talk(path, without)
    talk(path, with_token, metrics=Metrics(str(path), token=TOKEN))


def test_workers_stand_as_they_reported_last(store: SqliteStore, path: Path) -> None:
    reports = (
        of_worker(Kind.WORKER_REGISTERED, "AW_a", 60, agent_name="helper"),
        of_worker(Kind.WORKER_FULL, "AW_a", 50, agent_name="helper"),
        of_worker(Kind.WORKER_AVAILABLE, "AW_a", 40, agent_name="helper"),
        of_worker(Kind.WORKER_LOAD, "AW_a", 45, agent_name="helper", worker_load=0.9, worker_jobs=3),
        of_worker(Kind.WORKER_REGISTERED, "AW_b", 60, agent_name="helper"),
        of_worker(Kind.WORKER_DRAINING, "AW_b", 30, agent_name="helper", worker_jobs=1),
        of_worker(Kind.WORKER_REGISTERED, "AW_closed", 60, agent_name="helper"),
        of_worker(Kind.WORKER_CLOSED, "AW_closed", 50, agent_name="helper"),
        of_worker(Kind.WORKER_REGISTERED, "AW_silent", 3 * 24 * 3600, agent_name="helper"),
    )
    store.add([Arrival(reports)])
    found = values(path)
    assert found["workers", "helper", "available"] == 1
    assert found["workers", "helper", "draining"] == 1
    assert found["worker_load", "helper", "AW_a"] == 0.9
    assert found["worker_jobs", "helper", "AW_a"] == 3
    assert found["worker_jobs", "helper", "AW_b"] == 1
    assert not [key for key in found if {"AW_closed", "AW_silent"} & set(key)]


def test_of_many_workers_those_heard_of_last_are_told_apart(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "MOST_WORKERS", 2)
    monkeypatch.setattr(standing, "MOST_NAMES", 2)
    store.add([Arrival(tuple(of_worker(Kind.WORKER_REGISTERED, f"AW_{n}", n, agent_name=f"a{n}") for n in range(5)))])
    found = values(path)
    assert {key[1:]: count for key, count in found.items() if key[0] == "workers"} == {
        ("a0", "available"): 1,
        ("a1", "available"): 1,
        ("other", "available"): 3,
    }
    assert {key[2] for key in found if key[0] == "worker_reported_timestamp_seconds"} == {"AW_0", "AW_1"}


def test_rooms_whose_end_is_not_known_are_open_for_a_day(store: SqliteStore, path: Path) -> None:
    now = time.time_ns()
    for room, hours, over in (("RM_now", 0, False), ("RM_over", 1, True), ("RM_lost", 30, False)):
        created = moment(Kind.ROOM_CREATED, room, now - hours * 3600 * NS_PER_S, room=room)
        finished = replace(created, kind=Kind.ROOM_FINISHED)
        store.add([Arrival((created, finished) if over else (created,))])
    assert values(path)["rooms_open",] == 1


def test_the_store_is_asked_seldom_and_may_be_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away(location: str) -> Reader:
        asked.append(location)
        raise StoreError("gone")

    monkeypatch.setattr(standing, "open_reader", away)
    one = Standing(str(path))
    assert [list(one.collect()) for _ in range(3)] == [[], [], []]
    assert asked == [str(path)]
