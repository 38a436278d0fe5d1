"""Two clients with one identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["DuplicateIdentity"]


class DuplicateIdentity(Scenario):
    """The server disconnects the first when the second joins."""

    name = "duplicate-identity"
    question = "My caller is thrown out as soon as they open a second tab: why?"
    cause = "duplicate-identity"

    async def play(self, play: Play) -> None:
        """A second caller with the identity of the first."""
        first = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        second = play.caller()
        await play.has_left(first)
        await play.hangs_up(second, ALONE)
