"""What `/metrics` answers: Prometheus's text, or OpenMetrics with a trace for each figure where that is asked for."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from aiohttp import web
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.exposition import choose_encoder

from tracer.errors import OverloadedError
from tracer.service.fleet import Fleet
from tracer.service.hanging import in_time
from tracer.service.histogram import Histogram
from tracer.service.senders import refuse_other_sites, refuse_unknown_readers
from tracer.service.standing import Standing
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client import Metric

__all__ = ["Metrics"]

LATE = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""The longest of each bucket of webhooks' lag, s: LiveKit gives a webhook up after 30 s, and retries for some."""
OPEN_METRICS = "application/openmetrics-text"
"""What Prometheus asks for where it stores exemplars."""
MOST_WAITING = 16
"""Who may wait for an answer; one is made at a time."""


class Collector(Protocol):
    """What prometheus_client calls one."""

    def collect(self) -> Iterable[Metric]:
        """What it has."""


class Metrics:
    """Puts together what there is to know, for whoever may read it."""

    def __init__(self, store: str = "", *, token: str = "", fleet: Fleet | None = None) -> None:
        """What there is to know of the store at this location; without one, how things stand is left out.

        ``token``: what readers have to send; empty: nothing. ``fleet``: what came of rooms, where it is counted.
        """
        self.token = token
        self._lag = Histogram(LATE)
        self._collectors: list[Collector] = [self, fleet or Fleet(), *([Standing(store)] if store else [])]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._waiting = 0

    def add(self, collector: Collector) -> None:
        """Have this asked, too."""
        self._collectors.insert(0, collector)

    def webhook(self, sent: int, arrived: int) -> None:
        """A webhook arrived that the server says it sent in the second that begins at ``sent``; both ns."""
        if sent:
            self._lag.add(max(arrived - sent - NS_PER_S, 0) / NS_PER_S)

    def collect(self) -> Iterator[Metric]:
        """The lag of webhooks."""
        text = "How late webhooks came, at least: the server says in which second it sent one, by its clock."
        yield HistogramMetricFamily(
            "tracer_webhook_lag_seconds", text, self._lag.buckets(), self._lag.sum, unit="seconds"
        )

    async def answer(self, request: web.Request, host: str) -> web.Response:
        """To who may read rooms. ``host`` is what the receiver listens on. Raises what ``senders`` raises."""
        refuse_other_sites(request, host)
        refuse_unknown_readers(request, self.token, host)
        if self._waiting >= MOST_WAITING:
            raise OverloadedError("too many ask at once; retry later")
        self._waiting += 1
        try:
            open_metrics = OPEN_METRICS in request.headers.get("Accept", "")
            encode, kind = choose_encoder(OPEN_METRICS if open_metrics else "")  # never sees more of what was sent
            chosen = _Chosen(self._collectors, frozenset(request.query.getall("name[]", [])))
            body = await in_time(asyncio.get_running_loop().run_in_executor(self._thread, encode, chosen))
        finally:
            self._waiting -= 1
        return web.Response(body=body, headers={"Content-Type": kind, "Cache-Control": "no-store"})


class _Chosen:
    """All of it, or the series with these names alone, as Prometheus's own clients do for ``name[]``."""

    def __init__(self, collectors: Iterable[Collector], names: frozenset[str]) -> None:
        self._collectors = collectors
        self._names = names

    def collect(self) -> Iterator[Metric]:
        for collector in self._collectors:
            for family in collector.collect():
                if not self._names or any(sample.name in self._names for sample in family.samples):
                    yield family
