"""The job that runs here, in every version of livekit-agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livekit.agents import get_job_context

if TYPE_CHECKING:
    from livekit.agents import JobContext

__all__ = ["current_job"]


def current_job() -> JobContext | None:
    """The context of the job whose code runs now; None elsewhere."""
    try:
        return get_job_context()  # without ``required=False``, which 1.3 and 1.4 do not know
    except RuntimeError:
        return None
