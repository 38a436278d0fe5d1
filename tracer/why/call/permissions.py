"""What participants may do, by their tokens and by UpdateParticipant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.why.call.limits import SOON
from tracer.why.call.voices import MICROPHONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.moment import Fact
    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step

__all__ = ["Withdrawn", "is_hidden", "may_not", "may_not_speak", "was_refused_later", "withdrawn"]

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
    return bool(sources) and not any(some == "" or MICROPHONE in str(some).split(",") for some in sources)


class Withdrawn(NamedTuple):
    """A permission that was taken away while its participant was there, at a time that is known."""

    who: Participant
    to_speak: bool
    """Whether it was to publish a microphone; else to subscribe."""
    taken: Step
    given: Step | None
    """When it was granted again."""


def withdrawn(who: Participant) -> list[Withdrawn]:
    """Each time that a permission was taken away, in order. Of two witnesses of one change the more accurate counts."""
    changes = [step for step in who.steps if step.kind is Kind.PARTICIPANT_PERMISSIONS_CHANGED]
    found = []
    for to_speak in (True, False) if changes else ():
        granted = next((step for step in who.steps if _allows(step.facts, to_speak=to_speak) is not None), None)
        allowed = granted is None or _allows(granted.facts, to_speak=to_speak) is not False
        for step in changes:
            allows = _allows(step.facts, to_speak=to_speak)
            if allowed and allows is False:
                found.append(Withdrawn(who, to_speak, step, None))
            elif not allowed and allows and found and found[-1].to_speak is to_speak:
                found[-1] = found[-1]._replace(given=step)
            elif not allowed and found and step.earliest <= found[-1].taken.latest + SOON:
                better = min(step, found[-1].taken, key=lambda one: one.latest - one.earliest)
                found[-1] = found[-1]._replace(taken=better)
            allowed = allows is not False
    return sorted(found, key=lambda one: one.taken.time)


def _allows(facts: Mapping[str, Fact], *, to_speak: bool) -> bool | None:
    """Whether a permission is among those that were reported together, and granted; None where it is not among them."""
    granted = facts.get(keys.CAN_PUBLISH if to_speak else keys.CAN_SUBSCRIBE)
    if not isinstance(granted, bool):
        return None
    sources = str(facts.get(keys.CAN_PUBLISH_SOURCES) or "") if to_speak else ""
    return granted and (not sources or MICROPHONE in sources.split(","))


def is_hidden(who: Participant) -> bool:
    """Whether the others in the room did not see a participant, as long as it was there."""
    return _known(who, keys.HIDDEN) == {True}
