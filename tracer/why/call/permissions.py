"""What participants may do, by their tokens and by UpdateParticipant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.why.call.voices import MICROPHONE

if TYPE_CHECKING:
    from tracer.moment import Fact
    from tracer.timeline.entities import Participant

__all__ = ["is_hidden", "may_not", "may_not_speak", "was_refused_later"]

NOTHING: frozenset[Fact] = frozenset()


def _known(who: Participant, key: str) -> frozenset[Fact]:
    """Every value that was ever reported under a key: permissions can be changed during a call."""
    return who.reported.get(key, NOTHING)


def may_not(who: Participant, key: str) -> bool:
    """Whether a permission, one of ``keys.CAN_…``, was refused for as long as the participant was there."""
    return _known(who, key) == {False}


def was_refused_later(who: Participant, key: str) -> bool:
    """Whether a permission was granted at first and refused at last: UpdateParticipant took it away, unknown when."""
    reported = [step.facts[key] for step in who.steps if key in step.facts]
    return bool(reported) and reported[0] is True and reported[-1] is False


def may_not_speak(who: Participant) -> bool:
    """Whether no microphone of a participant's could be published, as long as they were there."""
    if may_not(who, keys.CAN_PUBLISH):
        return True
    sources = _known(who, keys.CAN_PUBLISH_SOURCES)
    return bool(sources) and not any(MICROPHONE in str(some).split(",") for some in sources)


def is_hidden(who: Participant) -> bool:
    """Whether the others in the room did not see a participant, as long as it was there."""
    return _known(who, keys.HIDDEN) == {True}
