"""The callers of a room: who was there, and when."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.timeline.reporting import FROM_THE_SERVER
from tracer.why.call.limits import LONG_ENOUGH, SOON
from tracer.why.call.participants import HUNG_UP, NOT_ANSWERED, left_at, seen_until, witnesses_of
from tracer.why.call.permissions import is_hidden

if TYPE_CHECKING:
    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["Callers"]


class Callers:
    """Those an agent is for."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    @property
    def all(self) -> list[Participant]:
        """Every caller, in the order in which they joined."""
        return self._timeline.callers

    @cached_property
    def published(self) -> dict[str, list[Step]]:
        """For each participant's SID when they published a track."""
        found: dict[str, list[Step]] = defaultdict(list)
        for track in self._timeline.tracks:
            step = track.at(Kind.TRACK_PUBLISHED)
            if track.participant and step:
                found[track.participant].append(step)
        return found

    @cached_property
    def unanswered(self) -> list[Participant]:
        """Those whom SIP called, and who did not answer."""
        return [who for who in self.all if who.kind == "SIP" and who.disconnect_reason in NOT_ANSWERED]

    @cached_property
    def first_active(self) -> int | None:
        """When the first caller may have been ACTIVE, ns: before, nobody waited. None where no caller is known."""
        known = []
        for who in self.all:
            if active := who.at(Kind.PARTICIPANT_ACTIVE):
                known.append(active.earliest)
            elif who.sid in self.published or ((left := who.at(Kind.PARTICIPANT_LEFT)) and "webhook" in left.witnesses):
                known.append(who.steps[0].earliest)  # they were ACTIVE, and that webhook was lost
        return min(known, default=None)

    @cached_property
    def active(self) -> list[tuple[int, int, Participant]]:
        """From when until when each caller was ACTIVE for certain, ns; not whom SIP called in vain."""
        known = ((who.at(Kind.PARTICIPANT_ACTIVE), who) for who in self.all if who not in self.unanswered)
        return [(active.time, seen_until(self._timeline, who), who) for active, who in known if active]

    @cached_property
    def together(self) -> list[Participant]:
        """Callers who were there with each other for long enough to talk, as in a meeting, or to listen to one."""
        found: dict[str, Participant] = {}
        seen = [one for one in self.active if not is_hidden(one[2])]
        for (began, ended, who), (since, until, other) in combinations(seen, 2):
            if who.identity == other.identity or not (who.sid in self.published or other.sid in self.published):
                continue
            if min(ended, until) - max(began, since) > LONG_ENOUGH:
                found |= {who.sid: who, other.sid: other}
        return list(found.values())

    def at(self, at: int) -> list[tuple[int, Participant]]:
        """Callers who were ACTIVE in the room at this time, ns, and until when for certain."""
        return [(ended, who) for began, ended, who in self.active if began <= at < ended]

    def known_at(self, at: int) -> bool:
        """Whether a caller was in the room at this time, ns, whatever webhook is lost.

        Their leave is known; or the room goes on, and they are polled, or the server has reported more of them later.
        What it has reported of others is not enough: their leave, and the end of the room, can both be lost.
        """
        there = [who for _, who in self.at(at)]
        if any(who.gone for who in there):
            return True
        if self._timeline.room.finished is not None or not self.reported_after(at):
            return False
        return any("observer" in step.witnesses or step.earliest > at for who in there for step in who.steps)

    def reported_after(self, at: int) -> bool:
        """Whether something that the server reported of this room came after this time, ns."""
        return any(step.earliest > at and FROM_THE_SERVER & set(step.witnesses) for step in self._timeline.steps)

    @cached_property
    def departed(self) -> list[tuple[int, int, Participant]]:
        """From when until when each caller was there who was ACTIVE and has left, ns."""
        known = ((who.at(Kind.PARTICIPANT_ACTIVE), who.gone, who) for who in self.all)
        return [(active.time, gone.time, who) for active, gone, who in known if active and gone]

    def none_before(self, until: int) -> bool:
        """Whether no caller was there before ``until``, ns, as far as a witness of callers reports."""
        if self.first_active is None:
            return not self.all and bool(witnesses_of(self._timeline) & FROM_THE_SERVER)
        return until < self.first_active

    def all_left_by(self, at: int) -> bool:
        """Whether all callers had come and left at this time, ns, as far as is known."""
        if self.first_active is None or self.first_active > at:
            return False
        return not any(who.steps[0].time <= at < left_at(self._timeline, who) for who in self.all)

    def hung_up_before(self, at: int) -> bool:
        """Whether a caller hung up within a second before this time, ns: then the call was over."""
        return bisect_left(self._hung_up, at - SOON) < bisect_right(self._hung_up, at)

    @cached_property
    def _hung_up(self) -> list[int]:
        """When callers hung up, ns."""
        return sorted(who.gone.time for who in self.all if who.gone and who.disconnect_reason in HUNG_UP)
