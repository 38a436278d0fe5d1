"""What a service says of what comes in: the first webhook, agent and room, and how each room went.

However much comes in, it says a bounded number of lines, and explains no more rooms than it names.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from tracer import keys
from tracer.kinds import Kind
from tracer.store import SCRATCH
from tracer.timeline.trace_jobs import is_trace
from tracer.units import NS_PER_S, duration, plural
from tracer.why.explain import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.latency.summary import Summary
    from tracer.moment import Moment
    from tracer.timeline.timeline import Timeline

__all__ = ["Announcer"]

log = logging.getLogger("tracer")

LINES = 20
"""Rooms that are named within PERIOD; of more only the number is said."""
PERIOD = 10.0
"""Seconds."""
NO_WEBHOOK = "no webhook has come yet: rooms are known by polling only; `tracer doctor` says how to set webhooks"
NO_AGENT = (
    "no agent has reported: add tracer.instrument(server) to yours (in Node, export its spans to here); "
    "`tracer doctor` checks the rest"
)
REMEMBERED = 2000
"""Rooms of which it is remembered what was said, so that it is not said twice."""


class Announcer:
    """Logs at INFO, each line with ``fields`` for programs. ``arrived`` costs nothing once all firsts were said."""

    def __init__(self, *, since: int, redact: bool = False, webhooks: bool = True) -> None:
        self.since = since
        """Number of the store's newest moment at the start: a room of which nothing was learnt since is not news."""
        self.redact = redact
        self._expects_webhooks = webhooks
        self._first = {"webhook", "agent", "room"}
        """Of what the first is still to come."""
        self._scratch = ""
        """The latest room of `tracer doctor`: it is not the first room, also where what comes in does not name it."""
        self._said: OrderedDict[str, str] = OrderedDict()
        self._named = self._more = self._more_failed = 0
        self._period_ends = 0.0

    def arrived(self, moments: Sequence[Moment]) -> None:
        """Moments were stored; those of one arrival are of one witness."""
        if not self._first or not moments:
            return
        witness, room = moments[0].witness, next((m.room for m in moments if m.room and not is_trace(m.room)), "")
        if witness == "webhook" and self._is_first("webhook"):
            _say("first_webhook", "first webhook arrived, and its signature is right")
        if witness == "agent" and self._is_first("agent"):
            _say("first_agent", f"first agent reports: {_reporting(moments)}")
        name = _fact(moments, keys.ROOM_NAME) if room else None
        if (name or "").startswith(SCRATCH):
            self._scratch = room
        if room and room != self._scratch and self._is_first("room"):
            name = None if self.redact else name
            how = {"webhook": "by a webhook", "observer": "by polling the API"}.get(witness, "by its agent")
            _say("first_room", f"first room: {_room(name, room)}, reported {how}", room={"sid": room, "name": name})

    def ended(self, timeline: Timeline, summary: Summary, newest: int) -> None:
        """A room is over and settled; ``newest`` is the number of its newest moment."""
        if newest <= self.since or not timeline.room.finished:
            return
        self.passed()
        if self._named >= LINES:
            self._more += 1
            self._more_failed += bool(summary.causes)
            return
        explanation = explain(timeline)
        room = timeline.room
        said = self._said.get(room.sid)
        if said == explanation.summary:
            return
        self._named += 1
        self._said[room.sid] = explanation.summary
        self._said.move_to_end(room.sid)
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        created, finished = room.created, room.finished
        seconds = (finished.time - created.time) / NS_PER_S if created and finished else None
        lasted = f" after {duration(seconds)}" if seconds is not None else ""
        text = f"room {_room(room.name, room.sid)}{', seen again,' if said else ''} over{lasted}: {explanation.summary}"
        if not explanation.well:
            text += f" More: tracer why {room.sid}"
        _say(
            "room_over",
            text,
            room={"sid": room.sid, "name": room.name},
            seconds=seconds,
            well=explanation.well,
            summary=explanation.summary,
            cause=explanation.findings[0].cause.name if explanation.findings else None,
        )
        self._hint(timeline)

    def passed(self) -> None:
        """Say how many rooms were not named, when the time has come; call it now and then."""
        now = time.monotonic()
        if now < self._period_ends:
            return
        if self._more:
            failed = f"in {self._more_failed} a cause was found" if self._more_failed else "no cause was found in them"
            text = f"{self._more} more {plural(self._more, 'room')} over: {failed}; `tracer rooms` lists them"
            _say("rooms_over", text, rooms=self._more, rooms_with_cause=self._more_failed)
        self._named = self._more = self._more_failed = 0
        self._period_ends = now + PERIOD

    def _hint(self, timeline: Timeline) -> None:
        """What a set-up still lacks, as the first room shows."""
        if self._expects_webhooks and self._is_first("webhook"):
            _say(
                "no_webhook",
                NO_WEBHOOK,
            )
        if timeline.agents and self._is_first("agent"):
            _say(
                "no_agent",
                NO_AGENT,
            )

    def _is_first(self, what: str) -> bool:
        if what not in self._first:
            return False
        self._first.discard(what)
        return True


def _reporting(moments: Sequence[Moment]) -> str:
    """Who reports: a worker by its id, agent name and machine, else the job's room."""
    for moment in moments:
        if moment.kind is Kind.WORKER_REGISTERED:
            known = dict(moment.facts)
            name, host = known.get(keys.AGENT_NAME), known.get(keys.WORKER_HOST)
            return f"worker {moment.subject}, {f'agent {name!r}' if name else 'the unnamed agent'}" + (
                f", on {host}" if host else ""
            )
    named = next((m for m in moments if not (is_trace(m.subject) or is_trace(m.room))), None)
    if named is None:
        return "a job whose room is not known yet"
    return named.subject + (f" in room {named.room}" if named.room else "")


def _fact(moments: Sequence[Moment], key: str) -> str | None:
    return next((str(value) for moment in moments for name, value in moment.facts if name == key), None)


def _room(name: str | None, sid: str) -> str:
    return f"{name} ({sid})" if name else sid


def _say(event: str, text: str, **fields: Any) -> None:
    log.info("%s", text, extra={"event": event, "fields": fields})
