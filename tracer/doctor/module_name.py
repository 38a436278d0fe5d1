"""Whether a program that is started here imports this package, and no module of the user's with its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from livekit_tracer import is_ours
from tracer.doctor.diagnosis import CheckName, Diagnosis, State

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit

__all__ = ["ModuleNameCheck", "in_the_way"]

OURS = Path(__file__).parents[1] / "__init__.py"


class ModuleNameCheck:
    """Looks where Python looks first for a program in the current folder: an agent is started there.

    What is in the way of this command itself is found before: see ``livekit_tracer``.
    """

    name = CheckName.MODULE

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding where another is in the way; none where all is well."""
        found = in_the_way(Path.cwd())
        if found is None:
            return []
        what = f"an agent started here imports {found} as `tracer`, and not livekit-tracer's module of that name"
        return [Diagnosis(self.name, State.FAILED, what, "rename it, or start the agent in another folder")]


def in_the_way(folder: Path) -> Path | None:
    """The module `tracer` of a program that is started in a folder, where it is not ours.

    A checkout, which was installed from and holds another copy of ours, is not in the way.
    """
    for path in (folder / "tracer" / "__init__.py", folder / "tracer.py"):  # a package comes before a module
        if path.is_file():
            return None if path.samefile(OURS) or is_ours(path) else path
    return None
