"""A real Prometheus scrapes a real `tracer serve` that gets recorded calls: every query of the dashboard has data."""

from __future__ import annotations

import http.client
import json
import math
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.chaos.recorded import FOLDER, Recording, Request
from tests.moments import START, WORKER
from tests.otlp import OURS, attributes, registered, request, span
from tests.prometheus.programs import PROMETHEUS, Prometheus
from tests.prometheus.test_alerts import PANELS, ROOT
from tests.service.test_missing import waiting
from tests.signed import KEY, SECRET
from tracer import keys
from tracer.local_servers import Process, answers, child_environment, free_port
from tracer.service.replay import replay
from tracer.store import Arrival, open_writer
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.moment import Moment

TOKEN = "what-prometheus-knows"  # noqa: S105  of the test
LONG_AGO = 400
"""Seconds after which nothing is to be learnt of a call any more."""
FAILED = {"room_expired": 2, "s08_worker_ws_lost": 3}
"""Recordings with one room without an agent each, and how many rooms are in them."""
IN_GRAFANA = {"$__rate_interval": "20s", "$__range": "1m", "$agent": ".*"}


def worker() -> Request:
    """What a worker reports that is there now: no recorded one is."""
    reported, load = registered(), span("worker.load", b"its load", 0, 0)
    attributes(load, {keys.SUBJECT: WORKER, keys.WORKER_LOAD: 0.4, keys.WORKER_JOBS: 2})
    for one in (reported, load):
        one.start_time_unix_nano = one.end_time_unix_nano = time.time_ns()
    body = request(reported, load, scope=OURS).SerializeToString()
    return Request("/v1/traces", body, {"Content-Type": "application/x-protobuf"})


def waits_now() -> Iterator[Moment]:
    """A caller has waited for an agent for half a minute."""
    later = time.time_ns() - 30 * NS_PER_S - START
    for one in waiting("RM_waits", "helper"):
        yield replace(one, earliest=one.earliest + later, latest=one.latest + later, time=one.time + later)


def send(port: int, requests: Iterable[Request]) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for one in requests:
            connection.request("POST", one.path, one.body, one.headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()


@pytest.fixture(scope="module")
def scraping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has seen calls come in twice."""
    if PROMETHEUS is None:
        pytest.skip("needs Prometheus: apt-get install prometheus")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    environment = child_environment(
        LIVEKIT_API_KEY=KEY,
        LIVEKIT_API_SECRET=SECRET,
        TRACER_READ_TOKEN=TOKEN,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",  # nobody listens: spans wait
    )
    command = [sys.executable, "-m", "tracer", "serve", "--port", str(port), "--store", str(folder / "tracer.db")]
    serve = Process("serve", command, folder=folder, environment=environment)
    prometheus = Prometheus(folder, f"127.0.0.1:{port}", TOKEN)
    with serve, prometheus:
        serve.wait_until(lambda: answers(port, "/healthz"))
        prometheus.wait_until(lambda: answers(prometheus.port, "/-/ready"))
        prometheus.wait_for("up", lambda value: value == 1)
        served = Recording("ok_handoff")
        for batch, failed in enumerate(FAILED, 1):
            send(port, [*served.copy(batch, ago=LONG_AGO).requests, worker()])
            with closing(open_writer(str(folder / "tracer.db"))) as store:  # dispatches come of polling, not by HTTP
                replay([FOLDER / f"{failed}.jsonl.gz"], store)
            prometheus.wait_for(f"sum(tracer_rooms_total) >= {sum(list(FAILED.values())[:batch]) + batch}", bool)
        with closing(open_writer(str(folder / "tracer.db"))) as store:
            store.note_listened("before", time.time_ns() - LONG_AGO * NS_PER_S, time.time_ns())  # all that it waits
            store.add([Arrival(tuple(waits_now()))])
        prometheus.wait_for("sum(tracer_agents_missing)", bool)
        prometheus.wait_for("sum(tracer_worker_load)", bool)
        yield prometheus


def filled(expr: str) -> str:
    for name, value in IN_GRAFANA.items():
        expr = expr.replace(name, value)
    assert "$" not in expr, expr
    return expr


def test_every_query_of_the_dashboard_gives_data(scraping: Prometheus) -> None:
    nothing = {}
    for panel in PANELS:
        for target in panel["targets"]:
            expr = filled(target["expr"])
            values = [float(sample["value"][1]) for sample in scraping.query(expr)]
            if not values or all(map(math.isnan, values)):
                nothing[panel["title"]] = expr
    assert nothing == {}


def test_a_dot_in_the_dashboard_leads_to_a_trace(scraping: Prometheus) -> None:
    now = time.time()
    found = scraping.get(
        "query_exemplars", query="tracer_agent_ready_seconds_bucket", start=str(now - 600), end=str(now)
    )
    traces = {one["labels"]["trace_id"] for series in found for one in series["exemplars"]}
    assert traces
    assert all(len(trace) == 32 for trace in traces)


def test_the_agent_that_a_caller_waits_for_is_missing(scraping: Prometheus) -> None:
    (missing,) = scraping.query("tracer_agents_missing")
    assert missing["value"][1] == "1"
    assert (missing["metric"]["lk_agent_name"], missing["metric"]["cause"]) == ("helper", "no-worker")


def test_every_metric_of_ours_is_in_the_documentation(scraping: Prometheus) -> None:
    names = scraping.get("metadata", limit="1000")
    ours = {name: told for name, told in names.items() if name.startswith("tracer_")}
    assert len(ours) > 20
    assert all(told[0]["help"] for told in ours.values())
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for name in ours:
        family = name.removesuffix("_total")
        assert family.removeprefix("tracer_webhooks").removeprefix("tracer_otlp") in text, json.dumps(name)


def test_the_agent_that_did_not_come_is_counted(scraping: Prometheus) -> None:
    (missing,) = scraping.query('sum(tracer_jobs_total{counted="no_agent"})')
    assert float(missing["value"][1]) == 2
