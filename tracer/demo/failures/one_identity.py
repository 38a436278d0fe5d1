"""Agents that all have one identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["OneIdentity"]


class OneIdentity(Scenario):
    """The second agent disconnects the first."""

    name = "one-identity"
    question = "My agent leaves as soon as a second one is dispatched: why?"
    cause = "agent-identity-reused"
    workers = (faulty("accepts-as-one", "helper"),)

    async def play(self, play: Play) -> None:
        """The caller's token names “helper”; so does a later CreateDispatch."""
        caller = play.caller(agents=("helper",))
        await play.happened(Kind.SESSION_STARTED)
        await play.dispatch("helper")
        await play.happened(Kind.AGENT_CONNECTED, 2)
        await play.hangs_up(caller, ALONE)
