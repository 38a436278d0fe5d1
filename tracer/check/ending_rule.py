"""The rule about a room's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.check.pair_rules import PairRule
from tracer.check.rule import Outcome, Verdict
from tracer.check.sentences import name
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.check.checked_room import CheckedRoom
    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step

__all__ = ["RoomEndsLast"]


class RoomEndsLast(PairRule):
    """A room is closed after all that the server did in it, when everyone has left or given up, exactly once."""

    number = 9
    name = "room-ends-last"
    sentence = "a closed room ends last, and everyone has gone once"
    missing = "the room is open, or nobody saw it close"

    def judge(self, case: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each pair, and for each participant."""
        yield from super().judge(case)
        finished = case.timeline.room.finished
        if finished:
            created = case.timeline.room.created
            # An observer that was started meanwhile has not seen who left before; nor got a receiver that was away.
            watched = all(dict(m.facts).get(keys.ROOM_WATCHED) is not False for m in (created.told if created else ()))
            for participant in case.timeline.participants:
                yield self._gone(name(case.timeline, participant.sid), participant, finished, watched=watched)

    def _gone(self, who: str, participant: Participant, finished: Step, *, watched: bool) -> Verdict:
        left, aborted = participant.at(Kind.PARTICIPANT_LEFT), participant.at(Kind.PARTICIPANT_ABORTED)
        # The observer sees only that somebody is there no longer, and calls that left.
        if left and aborted and set(left.witnesses) & set(aborted.witnesses):
            return Verdict(
                Outcome.VIOLATED, f"{who} left, and also gave up without having been ACTIVE", (aborted, left)
            )
        gone = aborted or left
        if gone:
            return Verdict(Outcome.HOLDS, f"{who} {'gave up' if aborted else 'left'}, once", (gone,))
        saw = {witness for step in participant.steps for witness in step.witnesses}
        text = f"{who} had not left when the room was closed"
        if {"webhook", "observer"} <= saw & set(finished.witnesses) and watched:
            return Verdict(Outcome.VIOLATED, text, (participant.steps[-1], finished))
        why = "webhooks get lost, and no second witness saw both who was there and the end"
        return Verdict(Outcome.UNTOLD, text, (participant.steps[-1], finished), why)
