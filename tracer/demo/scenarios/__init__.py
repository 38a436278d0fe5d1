"""The scenarios, one a file, in the order in which they are best read."""

from __future__ import annotations

from tracer.demo.scenarios.automatic import Automatic
from tracer.demo.scenarios.caller_last import CallerLast
from tracer.demo.scenarios.context import Context
from tracer.demo.scenarios.explicit import Explicit
from tracer.demo.scenarios.precreated import Precreated
from tracer.demo.scenarios.silent_caller import SilentCaller
from tracer.demo.scenarios.token import Token
from tracer.demo.scenarios.two_callers import TwoCallers

__all__ = ["SCENARIOS"]

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Automatic(),
        Explicit(),
        Token(),
        Precreated(),
        Context(),
        CallerLast(),
        SilentCaller(),
        TwoCallers(),
    )
}
"""By name."""
