"""Two clients with one identity."""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, server
from tracer.units import NS_PER_S
from tracer.why.call.agents import is_own
from tracer.why.call.participants import name_of
from tracer.why.call.replaced import DUPLICATE
from tracer.why.cause import Cause
from tracer.why.disconnected.identity_reused import AgentIdentityReused
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["DuplicateIdentity"]

IN_TURNS = 15 * NS_PER_S
"""Two clients with one identity disconnect each other at least as often as this, ns."""


class DuplicateIdentity(Cause):
    """A client joins with an identity that is in the room, and the server disconnects the one that was there.

    Known from the reason in the webhook of the leave. Certain where that happened twice within 15 s: a client that
    reconnects disconnects its own earlier connection, now and then. Certain, too, of a caller whose identity an agent
    joined with. Agents whose jobs are known are for ``agent-identity-reused`` and ``agent-retried``.
    """

    name = "duplicate-identity"
    symptom = Symptom.DISCONNECTED
    about = "somebody joined with the same identity, which disconnected the first"
    advice = "Give each client an identity of its own: two tabs with one token keep disconnecting each other."
    OF_AN_AGENT = (
        "Give agents identities that no caller has: leave out accept(identity=…), and each is called as its job is."
    )
    said = (
        server("pkg/service/roommanager.go"),
        Page.PARTICIPANTS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        everybody = call.timeline.participants
        jobs = {pair.first.sid for pair in call.replaced if pair.are_two_jobs} | {r.first.sid for r in call.retries}
        cut_off = [
            p
            for p in everybody
            if p.disconnect_reason == DUPLICATE and p.gone and p.sid not in jobs and not _is_itself(call, p)
        ]
        if not cut_off:
            return
        times = Counter(who.identity for who in cut_off)
        certain = _in_turns(cut_off)
        joins = _joins(everybody)
        for who in cut_off:
            again = who.identity is not None and times[who.identity] > 1
            joining = _nearest_join(joins[who.identity or ""], who.sid, call.left_at(who))
            by_agent = joining is not None and not who.is_agent and joining.subject in {a.sid for a in call.agents.all}
            client = "an agent" if by_agent else "a client"
            other = ": another client, or the same one after it lost its connection"
            if again or by_agent:
                other = ", again" if again else ""
            yield self.found(
                f"{name_of(who)} was disconnected when {client} joined with the same identity{other}.",
                who.gone,
                joining,
                certain=by_agent or who.identity in certain,
                advice=AgentIdentityReused.advice if who.is_agent else self.OF_AN_AGENT if by_agent else None,
            )


def _is_itself(call: Call, who: Participant) -> bool:
    """Whether only the same agent can have this identity: it is its job's alone."""
    return who.is_agent and any(is_own(job, who) for job in call.timeline.jobs)


def _joins(everybody: Iterable[Participant]) -> dict[str, list[Step]]:
    """For each identity when it joined, in order of time."""
    joins: dict[str, list[Step]] = defaultdict(list)
    for who in everybody:
        if who.identity and (joining := who.at(Kind.PARTICIPANT_JOINING)):
            joins[who.identity].append(joining)
    for theirs in joins.values():
        theirs.sort(key=lambda step: step.time)
    return joins


def _nearest_join(joins: list[Step], sid: str, left: int) -> Step | None:
    """The join nearest to this time, ns, of another than the one with this SID."""
    place = bisect(joins, left, key=lambda step: step.time)
    near = (step for step in joins[max(place - 2, 0) : place + 2] if step.subject != sid)
    return min(near, key=lambda step: abs(step.time - left), default=None)


def _in_turns(cut_off: list[Participant]) -> set[str | None]:
    """Identities of which one was disconnected soon after another: two clients, and not one that reconnects."""
    times: dict[str, list[int]] = defaultdict(list)
    for who in cut_off:
        if who.identity and who.gone:
            times[who.identity].append(who.gone.time)
    return {
        identity
        for identity, left in times.items()
        if any(later - earlier < IN_TURNS for earlier, later in pairwise(sorted(left)))
    }
