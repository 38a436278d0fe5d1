"""Whether a program that is started here imports this package, and no other of its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from livekit_tracer import in_the_way
from tracer.doctor.diagnosis import CheckName, Diagnosis, State

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit

__all__ = ["ModuleNameCheck"]


class ModuleNameCheck:
    """Looks where Python looks for a program in the current folder: an agent is started there."""

    name = CheckName.MODULE

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding where another is in the way; none where all is well."""
        what, _, fix = in_the_way(Path.cwd()).partition(": ")
        return [Diagnosis(self.name, State.FAILED, what, fix)] if what else []
