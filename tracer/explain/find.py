"""Every word that is explained, and the one that is meant."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from tracer.explain.answers import answers
from tracer.explain.causes import causes
from tracer.explain.columns import columns
from tracer.explain.entry import Group
from tracer.explain.gaps import gap, gaps, owners
from tracer.explain.moments import moments
from tracer.explain.reasons import modes, reasons
from tracer.explain.rules import rules
from tracer.explain.signs import signs
from tracer.explain.states import states
from tracer.explain.things import things
from tracer.kinds import Kind
from tracer.latency.summary import ARROW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.explain.entry import Entry

__all__ = ["explain", "group_named", "nearest", "words"]

NEAR = 0.6
"""How alike, up to 1, a word has to be to be offered instead."""
LONGEST = 200
"""Characters of what is asked for that are looked at."""
SHAPES = tuple(
    (re.compile(shape), word)
    for shape, word in (
        (r"±.*", "accuracy"),
        (r"-\d.*", "accuracy"),
        (r"\+\d.*", "since"),
        (r"~\d.*", "~"),
        (r"[█▉▊▋▌▍▎▏]+", "█"),
        (r"RM_\w*", "room"),
        (r"PA_\w*", "participant"),
        (r"AD_\w*", "dispatch"),
        (r"AJ_\w*", "job"),
        (r"AW_\w*", "worker"),
        (r"TR_\w*", "track"),
        (r"(identity|room)-[0-9a-f]{8}", "pseudonym"),
        (r"agent[ -]\w+", "agent"),
    )
)
"""What is no word, and what it is an example of: accuracies, ids, pseudonyms."""
ARROWS = re.compile(r"\s*(?:→|->|=>)\s*")


@cache
def words() -> tuple[Entry, ...]:
    """Everything that is explained, in the order of its groups."""
    return tuple(
        chain(
            *(things(), moments(), states(), gaps(), owners(), reasons(), modes(), causes(), rules(), columns()),
            *(answers(), signs()),
        )
    )


def explain(word: str, group: Group | None = None) -> Entry | None:
    """What is said of this word; None where nothing is.

    As tracer writes it, or nearly: without regard to case, to what is between its parts (``job offered``,
    ``JOB_OFFERED``) and to plural; by what it is called in a list; a gap also as ``job.offered -> job.received``.
    ``group`` is given where the word is known to be of one: a dispatch's mode is ``room``, which is also a thing.
    """
    asked = word[:LONGEST]
    known = _names(group)
    loose = _loose(asked)
    found = known.get(_exact(asked)) or known.get(loose) or next(filter(None, map(known.get, _singular(loose))), None)
    if found is None and group in (None, Group.GAP):
        found = _gap(asked)
    if found is None and group is None:
        found = next((known.get(word) for shape, word in SHAPES if shape.fullmatch(asked.strip())), None)
    return found


def group_named(word: str) -> Group | None:
    """The group that a word is the name of: ``causes``, or ``cause`` where that alone means nothing else."""
    asked = _exact(word[:LONGEST])
    if asked == "kinds":
        return Group.MOMENT
    if found := next((one for one in Group if asked == f"{one}s"), None):
        return found
    return next((one for one in Group if asked == one.value and explain(word) is None), None)


def nearest(word: str, most: int = 3) -> tuple[str, ...]:
    """The words most like this one, the nearest first; none where none is alike."""
    known = {loose: entry for entry in reversed(words()) if (loose := _loose(entry.word))}
    asked = _loose(word[:LONGEST])
    near = get_close_matches(asked, known, most, NEAR)
    # Two letters are in anything.
    parts = [key for key in known if len(asked) > 2 and asked in key]
    return tuple(dict.fromkeys(known[key].word for key in [*near, *parts]))[:most]


@cache
def _names(group: Group | None) -> Mapping[str, Entry]:
    """By what a word is asked for: the word itself, then its other names, then the letters of either."""
    entries = [entry for entry in words() if group in (None, entry.group)]
    found: dict[str, Entry] = {}
    for form in (_exact, _loose):
        for entry in entries:
            found.setdefault(form(entry.word), entry)
        for entry in entries:
            for name in (entry.title, *entry.aliases):
                found.setdefault(form(name), entry)
    found.pop("", None)  # of a name without a letter
    return found


def _singular(loose: str) -> tuple[str, ...]:
    """What a plural may be the plural of."""
    ends = (("ies", "y"), ("es", ""), ("s", ""))
    return tuple(loose.removesuffix(end) + instead for end, instead in ends if loose.endswith(end))


def _gap(asked: str) -> Entry | None:
    """The gap between two kinds, which need not be one of the commonest."""
    first, *rest = ARROWS.split(asked)
    start = _kind(first)
    if start is None or len(rest) != 1:
        return None
    # Where there is little room, `job.offered → received` leaves out what both have in common.
    end = _kind(rest[0]) or _kind(f"{start.partition('.')[0]}.{rest[0]}")
    return gap(start, end) if end else None


def _kind(name: str) -> Kind | None:
    found = _names(Group.MOMENT).get(_exact(name)) or _names(Group.MOMENT).get(_loose(name))
    return Kind(found.word) if found else None


def _exact(text: str) -> str:
    return " ".join(text.split()).casefold()


def _loose(text: str) -> str:
    """Its letters, digits and arrow."""
    arrow = ARROW.strip()
    return "".join(char for char in ARROWS.sub(arrow, text.casefold()) if char.isalnum() or char == arrow)
