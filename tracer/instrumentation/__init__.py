"""What runs inside the user's worker and its job processes."""

from __future__ import annotations

from tracer.instrumentation.job_process import (
    DEFAULT_ENDPOINT,
    instrument,
    instrument_every_server,
    leave_every_server,
)

__all__ = ["DEFAULT_ENDPOINT", "instrument", "instrument_every_server", "leave_every_server"]
