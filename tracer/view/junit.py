"""The check for CI: a test suite for each room, a test case for each rule, as JUnit writes them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tracer.check import Outcome
from tracer.check.sentences import reports, skew
from tracer.units import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracer.check import Judgement, RoomCheck

__all__ = ["junit"]

MOST_LISTED = 100
"""Verdicts written out for one rule; JSON has them all."""

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold, not even escaped."""


def junit(checks: Iterable[RoomCheck]) -> str:
    """A rule that fails is a failure, one that is inconclusive is skipped; XML, whatever the names hold."""
    checks = list(checks)
    root = Element("testsuites", name="tracer check")
    names = Counter(check.timeline.room.name for check in checks)
    for check in checks:
        room = check.timeline.room
        unique = room.name and names[room.name] == 1  # a name is the same from run to run, an SID is not
        _suite(root, check, f"tracer.check.{room.name if unique else room.sid}")
    indent(root)
    # In ASCII, for standard output may have any encoding: what is beyond it is written as its number.
    body: bytes = tostring(root, encoding="us-ascii", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body.decode()}\n'


def _suite(root: Element, check: RoomCheck, classname: str) -> None:
    room = check.timeline.room
    suite = SubElement(
        root,
        "testsuite",
        {
            "name": _legal(f"{room.name} {room.sid}" if room.name else room.sid),
            "tests": str(len(check.judgements)),
            "failures": str(check.count(Outcome.VIOLATED)),
            "errors": "0",
            "skipped": str(check.count(Outcome.INCONCLUSIVE)),
            "time": "0",
            "timestamp": rfc3339(check.timeline.zero)[: len("2025-11-22T19:51:06")],
        },
    )
    for judgement in check.judgements:
        _case(suite, judgement, classname)
    offsets = check.clocks.offsets.items()
    clocks = [f"clock of the {clock}, compared to the server's: {skew(offset)}" for clock, offset in offsets]
    _output(suite, [check.summary, *clocks])


def _case(suite: Element, judgement: Judgement, classname: str) -> None:
    rule = judgement.rule
    name = f"{rule.number:02} {rule.name}: {rule.sentence}"
    case = SubElement(suite, "testcase", {"classname": _legal(classname), "name": name, "time": "0"})
    violated = judgement.having(Outcome.VIOLATED)
    open_ones = [f"{verdict.sentence}: {verdict.why}" for verdict in judgement.having(Outcome.INCONCLUSIVE)]
    if violated:
        failure = SubElement(case, "failure", type=rule.name, message=_legal(violated[0].sentence))
        entries = ["\n".join([verdict.sentence, *map(reports, verdict.steps)]) for verdict in violated]
        failure.text = _legal("\n".join(_listed(entries)))
    elif judgement.answer is Outcome.INCONCLUSIVE:
        SubElement(case, "skipped", message=_legal("; ".join([judgement.summary, *open_ones[:1]])))
    _output(case, [judgement.summary, *_listed(open_ones)])


def _output(element: Element, lines: Iterable[str]) -> None:
    SubElement(element, "system-out").text = _legal("\n".join(lines))


def _listed(lines: Sequence[str]) -> list[str]:
    """Not more than can be read."""
    if len(lines) <= MOST_LISTED:
        return list(lines)
    return [*lines[:MOST_LISTED], f"… and {len(lines) - MOST_LISTED} more"]


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
