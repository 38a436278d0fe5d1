"""The rule about a room's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.check.rule import PairRule
from tracer.check.sentences import name
from tracer.check.verdict import Outcome, Verdict
from tracer.livekit_sources import Page, server
from tracer.moment import Kind
from tracer.timeline.precedence import Guarantee

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.check.checked_room import CheckedRoom
    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step

__all__ = ["RoomEndsLast"]


class RoomEndsLast(PairRule):
    """A room finishes after all that the server did in it, when every participant has left or aborted, exactly once."""

    number = 9
    name = Guarantee.ROOM_ENDS_LAST
    sentence = "a room finishes last; everyone left it once"
    missing = "the room is open, or its end was not observed"
    believed = "that each `participant_joined` has a `participant_left`, or that webhooks arrive in order."
    said = (
        server("pkg/rtc/room.go"),
        Page.WEBHOOKS,
    )

    def judge(self, room: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each pair, and for each participant."""
        yield from super().judge(room)
        finished = room.timeline.room.finished
        if finished:
            for participant in room.timeline.participants:
                yield self._left(name(room.timeline, participant.sid), participant, finished)

    def _left(self, who: str, participant: Participant, finished: Step) -> Verdict:
        left, aborted = participant.at(Kind.PARTICIPANT_LEFT), participant.at(Kind.PARTICIPANT_ABORTED)
        # The observer sees only that a participant is no longer there, and calls that left.
        if left and aborted and set(left.witnesses) & set(aborted.witnesses):
            return Verdict(Outcome.VIOLATED, f"{who} left, and also aborted without ever being ACTIVE", (aborted, left))
        if aborted:
            return Verdict(Outcome.HOLDS, f"{who} aborted, once", (aborted,))
        if left:
            return Verdict(Outcome.HOLDS, f"{who} left, once", (left,))
        why = "webhooks can get lost, and the observer may not have asked between the leave and the end"
        return Verdict(
            Outcome.INCONCLUSIVE, f"{who} had not left when the room finished", (participant.steps[-1], finished), why
        )
