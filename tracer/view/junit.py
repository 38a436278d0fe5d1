"""The check for CI: a test suite for each room, a test case for each rule, as JUnit writes them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tracer.check import Outcome
from tracer.check.clock_rule import said
from tracer.check.sentences import accounts
from tracer.units import rfc3339
from tracer.view.check import conclusion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.check import Judgement, RoomCheck

__all__ = ["junit"]

MOST_LISTED = 100
"""Verdicts written out for one rule; JSON has them all."""

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold, not even escaped."""


def junit(checks: Iterable[RoomCheck]) -> str:
    """A violated rule is a failure, one that cannot be told is skipped; XML, whatever the names hold."""
    root = Element("testsuites", name="tracer check")
    checks = list(checks)
    names = Counter(check.timeline.room.name for check in checks)
    for check in checks:
        room = check.timeline.room
        name = f"{room.name} {room.sid}" if room.name else room.sid
        suite = SubElement(
            root,
            "testsuite",
            {
                "name": _legal(name),
                "tests": str(len(check.judgements)),
                "failures": str(check.count(Outcome.VIOLATED)),
                "errors": "0",
                "skipped": str(check.count(Outcome.UNTOLD)),
                "time": "0",
                "timestamp": (rfc3339(check.timeline.zero) or "")[:19],
            },
        )
        alone = names[room.name] == 1  # by its name it is the same from run to run
        for judgement in check.judgements:
            _case(suite, judgement, f"tracer.check.{room.name if room.name and alone else room.sid}")
        offsets = check.clocks.offsets.items()
        clocks = [f"clock of the {clock}, beside the server's: {said(known)}" for clock, known in offsets]
        SubElement(suite, "system-out").text = _legal("\n".join([conclusion(check), *clocks]))
    indent(root)
    # In ASCII, for standard output may have any encoding: what is beyond it is written as its number.
    body: bytes = tostring(root, encoding="us-ascii", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body.decode()}\n'


def _case(suite: Element, judgement: Judgement, classname: str) -> None:
    rule = judgement.rule
    case = SubElement(
        suite,
        "testcase",
        {"classname": _legal(classname), "name": f"{rule.number:02} {rule.name}: {rule.sentence}", "time": "0"},
    )
    found = judgement.having(judgement.answer)
    untold = [f"{verdict.sentence}: {verdict.why}" for verdict in judgement.having(Outcome.UNTOLD)]
    if judgement.answer is Outcome.VIOLATED:
        told = [line for verdict in found[:MOST_LISTED] for line in (verdict.sentence, *map(accounts, verdict.steps))]
        failure = SubElement(case, "failure", type=rule.name, message=_legal(found[0].sentence))
        failure.text = _legal("\n".join([*told, *_more(len(found))]))
    elif judgement.answer is Outcome.UNTOLD:
        SubElement(case, "skipped", message=_legal("; ".join([judgement.summary, *untold[:1]])))
    SubElement(case, "system-out").text = _legal(
        "\n".join([judgement.summary, *untold[:MOST_LISTED], *_more(len(untold))])
    )


def _more(count: int) -> list[str]:
    return [f"… and {count - MOST_LISTED} more"] if count > MOST_LISTED else []


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
