"""A worker of another deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["OtherDeployment"]


class OtherDeployment(Scenario):
    """The server matches the deployment of a dispatch with that of a worker, as it does the name."""

    name = "other-deployment"
    question = "My worker is registered under the right name and gets no job: what else must match?"
    cause = "other-deployment"
    workers = (DemoWorker(environment={"LIVEKIT_AGENT_DEPLOYMENT": "staging"}),)

    async def play(self, play: Play) -> None:
        """A caller, whose dispatch asks for no deployment."""
        await play.nobody_comes(play.caller())
