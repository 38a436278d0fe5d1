"""What a caller lost in the middle of a call: a permission, an agent that listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.why.call.limits import NOTICED, STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import was_refused_later, withdrawn
from tracer.why.lack import Lack, in_seconds
from tracer.why.silent.unsubscribed import another_serves, unsubscribed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.timeline.entities import Participant
    from tracer.why.call import Call

__all__ = ["losses"]

PERMISSIONS = {True: "publish (canPublish)", False: "subscribe (canSubscribe)"}
"""By whether it is to speak."""


def losses(call: Call, who: Participant, ended: int, agents: Iterable[Participant]) -> Iterator[Lack]:
    """What a caller, who was there until a time, ns, had with these agents and lost for longer than anybody waits."""
    agents = list(agents)
    for one in (who, *agents):
        yield from _permissions(one, ended)
    for deaf in unsubscribed(call):
        if deaf.stay.who is who and deaf.stay.lasted > STUCK_BY and not another_serves(call, deaf):
            agent = call.agents.of(deaf.job)
            yield Lack(
                f"for {in_seconds(deaf.stay.lasted)} {name_of(agent) if agent else 'the agent'} was not subscribed to"
                f" the microphone of {name_of(who)}",
                certain=False,
                ns=deaf.stay.lasted,
            )


def _permissions(who: Participant, ended: int) -> Iterator[Lack]:
    """Permissions that were taken away: from when is known where the change was reported, and not only its result."""
    known = withdrawn(who)
    for one in known:
        lasted = (min(one.given.earliest, ended) if one.given else ended) - one.taken.latest
        if lasted > (STUCK_BY if one.given else NOTICED):
            what = PERMISSIONS[one.to_speak]
            yield Lack(
                f"{name_of(who)} was without the permission to {what} for {in_seconds(lasted)}",
                certain=False,
                ns=lasted,
            )
    for key, to_speak in ((keys.CAN_PUBLISH, True), (keys.CAN_SUBSCRIBE, False)):
        if not known and was_refused_later(who, key):
            yield Lack(f"{name_of(who)} lost the permission to {PERMISSIONS[to_speak]} during the call", certain=False)
