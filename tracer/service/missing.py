"""Agents that should have come by now and have not, in rooms that are open, for `/metrics`: as `tracer why` says it.

What came of a room is counted when it is over, and an agent that did not come a minute later: too late to do something.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from tracer import keys
from tracer.store.load import timeline_in
from tracer.why import explain
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from prometheus_client import Metric

    from tracer.service.fleet import Names
    from tracer.store import Reader
    from tracer.timeline.timeline import Timeline
    from tracer.why import Finding

__all__ = ["MissingAgents"]

MOST_ROOMS = 200
"""Rooms that are looked at, the latest; those of the doctor and the demo are no calls."""
BUSY_FOR = 0.25
"""Seconds that are spent at one time: rooms for which there was no time keep what was known, and are next."""


class MissingAgents:
    """Remembers what was found in each room until it is looked at again."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[tuple[str, str], ...]] = {}
        """By the SID of each open room that was looked at, the one that waits for longest first: agents and causes."""

    def look(self, store: Reader, now: int, since: int, agent_name: str, names: Names) -> Metric:
        """Look, ``now``, at the rooms that began ``since`` then and are open; both ns. Raises StoreError.

        ``agent_name`` is what the label of an agent's name is called.
        """
        rows = [
            row
            for row in store.search("", MOST_ROOMS)
            if row.finished is None and row.stopped is None and row.created is not None and row.created >= since
        ]
        self._found = {sid: found for sid, found in self._found.items() if sid in {row.sid for row in rows}}
        # Where no agent is one is missing most likely; of the others those first that were looked at longest ago.
        waited = {sid: at for at, sid in enumerate(self._found, 1)}
        rows.sort(key=lambda row: (row.agents > 0, waited.get(row.sid, 0)))
        end = time.monotonic() + BUSY_FOR
        for row in rows:
            self._found.pop(row.sid, None)
            self._found[row.sid] = tuple(_missing(timeline_in(store, row.sid, now=now)))
            if time.monotonic() > end:
                break
        gauge = GaugeMetricFamily(
            "tracer_agents_missing",
            "Agents that should have come by now into rooms that are open, by why they have not, as tracer why has it.",
            labels=(agent_name, "cause"),
        )
        counts = Counter((names.of(name), cause) for found in self._found.values() for name, cause in found)
        for labels, count in counts.items():
            gauge.add_metric(labels, count)
        return gauge


def _missing(timeline: Timeline) -> list[tuple[str, str]]:
    """Each agent that is missing in a room, with the first cause of that."""
    found: dict[str, str] = {}
    if not timeline.room.finished:
        for finding in explain(timeline).findings:
            if finding.cause.symptom is Symptom.MISSING:
                found.setdefault(_agent(timeline, finding), finding.cause.name)
    return list(found.items())


def _agent(timeline: Timeline, finding: Finding) -> str:
    """The name of the agent that a finding is about; empty for the unnamed one, or where none was asked for."""
    for step in finding.evidence:
        about = timeline.by_sid.get(step.subject)
        name = step.facts.get(keys.AGENT_NAME) or getattr(about, "agent_name", None)
        if name and step.subject.startswith(("AD_", "AJ_")):
            return str(name)
    return ""
