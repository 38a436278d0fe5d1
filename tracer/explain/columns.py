"""The columns of the tables that commands show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.explain.entry import Entry, Group
from tracer.explain.signs import ACCURACY

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["columns"]


def columns() -> Iterator[Entry]:
    """Every column that has a heading, by command."""
    for where, word, title, meaning, mistake, related in _COLUMNS:
        yield Entry(
            word=word,
            group=Group.COLUMN,
            title=title,
            meaning=meaning,
            mistake=mistake,
            known_from=f"A column of {where}.",
            related=related,
            aliases=_SHORT.get(word, ()),
        )


_TIMELINE = "`tracer timeline`"
_ROOMS = "`tracer rooms`"
_STATS = "`tracer stats`"
_COMPARE = "`tracer compare`"
_SHORT = {
    "source": ("src", "all three"),
    "accuracy": tuple(text for text, _ in ACCURACY),
    "created (UTC)": ("created",),
    "UTC": (),
}
"""What a column is called where there is little room, or what is in it."""

_COLUMNS: tuple[tuple[str, str, str, str, str, tuple[str, ...]], ...] = (
    (
        _TIMELINE,
        "offset",
        "when, from the room's creation",
        "The time of a moment after the room's creation.",
        "It is the most likely time of an interval: how far off it can be is the accuracy.",
        ("accuracy", "since"),
    ),
    (_TIMELINE, "since", "the time since the row before", "The time since the row above.", "", ("offset",)),
    (_TIMELINE, "what", "what happened", "What happened, to whom, and its details.", "", ("moment",)),
    (
        _TIMELINE,
        "source",
        "who reported it",
        "The witnesses: webhook, observer (the API) or agent; W, O and A where there is little room.",
        "One witness is enough: two of one moment narrow its interval.",
        ("witness",),
    ),
    (
        _TIMELINE,
        "accuracy",
        "how exact the time is",
        (
            "How far off the time can be. `±0`: the server or the agent gave the time itself. `±4.0 ms`: seen between"
            " two polls. `-99 ms`: no later than shown, and so much earlier at most, as of a webhook. `?!`: two"
            " witnesses contradict each other."
        ),
        "Of two moments whose intervals overlap the table's order is the likelier one, not a measured one.",
        ("offset", "clocks"),
    ),
    (
        _TIMELINE,
        "clock",
        "whose clock gave the time",
        "The server's, the receiver's (the observer's too), or that of the machine on which the agent runs.",
        "Clocks of two machines differ; tracer corrects by as much as is proven, and no further.",
        ("clocks",),
    ),
    (_TIMELINE, "UTC", "the time of day", "The time of day, UTC.", "", ("offset",)),
    (_ROOMS, "sid", "the room's own id", "The id that this room has alone; its name is used again.", "", ("room",)),
    (
        _ROOMS,
        "created (UTC)",
        "when the room was created",
        "When the server created the room, UTC.",
        "",
        ("room.created",),
    ),
    (
        _ROOMS,
        "lasted",
        "how long the room was open",
        "From the room's creation to its end; `open` where no end is known.",
        "A room outlasts its call by `departure_timeout`, 20 s by default.",
        ("room.finished", "departure_timeout"),
    ),
    (_ROOMS, "callers", "how many joined", "Participants that are no agents.", "", ("participant",)),
    (_ROOMS, "agents", "how many agents joined", "Participants of the kind AGENT.", "", ("agent",)),
    (
        _ROOMS,
        "ready",
        "how long until an agent was ready",
        (
            "From what first asked for an agent to its being ready: its session had started or, without one, it had its"
            " caller."
        ),
        "It is not what a caller waited: an agent can be ready before they come.",
        ("caller ACTIVE → agent ready", "session.started"),
    ),
    (
        _ROOMS,
        "cause",
        "what went wrong",
        "The first cause that `tracer why` names.",
        "None means that none was found; the mark in front says whether all is known.",
        ("no-worker",),
    ),
    (
        _STATS,
        "owner",
        "who spends the time of a gap",
        "Whose time a gap is: LiveKit's, your code's, the network's, a setting's.",
        "",
        ("livekit_server", "your_code", "network"),
    ),
    (_STATS, "jobs", "of how many jobs", "How many jobs had this gap, and were measured.", "", ("job",)),
    (
        _STATS,
        "p50",
        "the median",
        "Half of the jobs took no longer.",
        "",
        ("p95", "p99", "most"),
    ),
    (
        _STATS,
        "p95",
        "what one in twenty exceeds",
        "95 of 100 jobs took no longer; `-` where there are too few to say.",
        "Percentiles of gaps do not add up to that of the whole.",
        ("p50", "p99"),
    ),
    (
        _STATS,
        "p99",
        "what one in a hundred exceeds",
        "99 of 100 jobs took no longer; `-` where there are too few to say.",
        "",
        ("p50", "p95"),
    ),
    (_STATS, "most", "the longest", "The longest of all.", "", ("p99",)),
    (
        _COMPARE,
        "A",
        "the first of the two",
        "What it took in the room that was named first.",
        "In the column `source` of a narrow timeline A is the agent.",
        ("A - B", "source"),
    ),
    (_COMPARE, "B", "the second of the two", "What it took in the room that was named second.", "", ("A - B",)),
    (
        _COMPARE,
        "A - B",
        "the difference",
        "How much longer it took in A than in B; red where it took longer in A.",
        "",
        ("A - p50",),
    ),
    (_COMPARE, "p50 of B", "the median of the others", "Half of the jobs of B took no longer.", "", ("p50",)),
    (
        _COMPARE,
        "p95 of B",
        "what one in twenty of the others exceeds",
        "95 of 100 jobs of B took no longer.",
        "",
        ("p95",),
    ),
    (
        _COMPARE,
        "A - p50",
        "the difference to the median",
        "How much longer it took in A than in the median job of B.",
        "",
        ("p50 of B",),
    ),
)
"""Where it is, its heading, what it is called, what it means, a common mistake, and related words."""
