"""Every recorded call, held to what really happened in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.calls.expected import EXPECTED
from tests.soak.options import Report, say
from tests.why.test_calls import test_why_comes_to_what_happened

if TYPE_CHECKING:
    from tests.soak.options import Options

__all__ = ["run"]


def run(options: Options) -> Report:
    """By the test of ``tests/why/test_calls.py``."""
    names = [name for name in sorted(EXPECTED) if options.only in name]
    wrong = {name: said for name in names if (said := _wrong(name)) is not None}
    rooms = [right for name in names for right in EXPECTED[name]]
    with_cause = sum(right.cause is not None for right in rooms)
    well = sum(right.well for right in rooms)
    counts = (len(names), len(rooms), with_cause, well, len(rooms) - with_cause - well)
    lines = [
        "| recordings | rooms | with a cause | well | neither, or not known | right |",
        "|---|---|---|---|---|---|",
        f"| {' | '.join(map(str, counts))} | {len(names) - len(wrong)} of {len(names)} |",
    ]
    if wrong:
        lines += ["", "Wrong:", "", *(f"- `{name}`: {said}" for name, said in wrong.items())]
    return Report("\n".join(lines), not wrong)


def _wrong(name: str) -> str | None:
    """What `why` said of a recording where it was wrong."""
    say(f"recording {name}")
    try:
        test_why_comes_to_what_happened(name)
    except AssertionError as error:
        return str(error) or "not as expected"
    return None
