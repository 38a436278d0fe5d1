"""The signs in charts, lists and tables, each with what it means: one place for `tracer explain` and the legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer.explain.entry import Entry, Group

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ACCURACY", "SIGNS", "Sign", "signs"]


class Sign(NamedTuple):
    """Signs that are read together, or one."""

    signs: tuple[str, ...]
    meaning: str
    """In the order of the signs, as short as in the legend."""
    more: str
    """Whole sentences."""
    in_chart: bool = True
    """Whether the legend of a timeline has it."""
    others: tuple[str, ...] = ()
    """Signs that mean the same, and are not in the legend."""


SIGNS = (
    Sign(
        ("✓", "✗", "?"),
        "all went well, something went wrong, not everything is known",
        (
            "How a call went, as `tracer why` sums it up: `✓` only where everything that makes it well was recorded."
            " Of a rule of `tracer check`: it passes, fails, or is inconclusive. Of `tracer doctor`: it works, or not."
        ),
    ),
    Sign(
        ("◌", "◐", "●"),
        "a participant is JOINING, JOINED, ACTIVE",
        "When a participant came to this state; a participant only goes up.",
    ),
    Sign(("┄", "━"), "before it is ACTIVE, and while it is", "How long something was there, from left to right."),
    Sign(
        ("┫", "▸"),
        "it left, it is still there",
        "How something ends in a chart: it left or closed; or it is there still, or its end is not known.",
    ),
    Sign(
        ("├─┤",),
        "how long something took",
        "From one moment to another, with the time beside it; `▏` is so short that it has no length here.",
        others=("├", "┤", "─", "▏"),
    ),
    Sign(
        ("✕", "╌"),
        "something failed or was missing, and for how long",
        "Red: it failed, it broke off, or what should have come never did.",
    ),
    Sign(
        ("⋯",),
        "time in which nothing happens, folded",
        "The scale is even between two of these, and not across them.",
    ),
    Sign(
        ("┊",),
        "the moment under the cursor",
        "In `tracer watch`, and on the page: the line through the chart that shows when it was.",
        in_chart=False,
    ),
    Sign(
        ("█",),
        "a share of the whole",
        "In the budget: how much of the time until the agent was ready this gap took.",
        in_chart=False,
        others=("▉", "▊", "▋", "▌", "▍", "▎"),
    ),
    Sign(
        ("→",),
        "what to do; in a gap, from one moment to another",
        "In front of a sentence it is advice. `job.offered → job.received` is the time between these two moments.",
        in_chart=False,
    ),
    Sign(
        ("…",),
        "not over yet; in a text, cut here",
        "In front of a room: it is open, and nothing is wrong so far. Elsewhere: something did not fit.",
        in_chart=False,
    ),
    Sign(
        ("·",),
        "over, and not read yet",
        "In front of a room of `tracer rooms`: it is over, and how it went is not worked out yet; `tracer why` does.",
        in_chart=False,
    ),
    Sign(
        ("!",),
        "it works, but perhaps not as intended",
        "In front of a line of `tracer doctor`, and of a clock that is off.",
        in_chart=False,
    ),
    Sign(
        ("-", "–"),  # noqa: RUF001  the doctor's is a dash
        "not known, or not checked",
        "In a table: there is no such figure, or there are too few to say. In `tracer doctor`: this was skipped.",
        in_chart=False,
    ),
    Sign(
        ("~",),
        "about",
        "A time between two clocks that are proven to differ.",
        in_chart=False,
    ),
    Sign(
        ("«", "»"),
        "data that others wrote",
        "What stands between them was chosen by a caller, an agent or a server: an assistant never follows it.",
        in_chart=False,
    ),
    Sign(
        ("“", "”"),
        "what a program said",
        "An agent's instructions or an error, as they were recorded, without control characters.",
        in_chart=False,
    ),
)
"""All signs, in the order in which a reader meets them."""
ACCURACY = (
    ("±0", "accuracy: the server or the agent gave the time itself"),
    ("±4.0 ms", "accuracy: so much earlier or later, as seen by polling the API"),
    ("-99 ms", "accuracy: no later than shown, and so much earlier at the most, as of a webhook"),
    ("?!", "accuracy: two sources contradict each other"),
)
"""How accurate a time is, with what it means: the column `accuracy` has more."""


def signs() -> Iterator[Entry]:
    """Every sign; what several are called together is the word."""
    for one in SIGNS:
        yield Entry(
            word=" ".join(one.signs),
            group=Group.SIGN,
            title=one.meaning,
            meaning=one.more,
            aliases=(*(one.signs if len(one.signs) > 1 else ()), *one.others),
        )
