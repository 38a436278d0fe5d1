"""Jobs that arrive together at an idle worker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["Burst"]

SLOW = faulty("answers-very-slowly", "helper")
"""It takes 2.5 s to accept a job: the next one comes meanwhile."""


class Burst(Scenario):
    """Until its job runs, each request counts as load: with one idle process, as all of it."""

    name = "burst"
    question = "My worker is idle, and of two calls at once one gets no agent: why?"
    cause = "worker-overbooked"
    own_server = "its room requests the unnamed agent, and one of yours could come"
    workers = (replace(SLOW, environment={**SLOW.environment, "AGENT_IDLE_PROCESSES": "1"}),)

    async def play(self, play: Play) -> None:
        """A caller is there; the agent is dispatched to another room, and to theirs before it has answered."""
        caller = play.caller()
        await play.happened(Kind.PARTICIPANT_ACTIVE)
        other = play.anew(f"{play.room}-other")
        await other.dispatch("helper")
        await play.worker_reported(Kind.WORKER_FULL)
        await play.dispatch("helper")
        await play.hangs_up(caller, IN_VAIN)
        await other.delete_room()
