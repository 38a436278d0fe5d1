"""What `tracer check` found, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer.check import Outcome
from tracer.units import NS_PER_MS, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.check import Judgement, RoomCheck, Verdict
    from tracer.clocks.offsets import Clock, Offset
    from tracer.timeline.step import Step

__all__ = ["as_json"]


def as_json(checks: Iterable[RoomCheck]) -> dict[str, Any]:
    """The checks as JSON types, schema ``tracer.check/1``: what is not known is null.

    What holds is counted, what is violated or inconclusive is listed.
    """
    return {"schema": "tracer.check/1", "rooms": [_room(check) for check in checks]}


def _room(check: RoomCheck) -> dict[str, Any]:
    room = check.timeline.room
    return {
        "sid": room.sid,
        "name": room.name,
        "answer": check.answer,
        "rules": [_rule(check, judgement) for judgement in check.judgements],
        "clocks": [_clock(check, clock, offset) for clock, offset in check.clocks.offsets.items()],
    }


def _rule(check: RoomCheck, judgement: Judgement) -> dict[str, Any]:
    return {
        "number": judgement.rule.number,
        "name": judgement.rule.name,
        "sentence": judgement.rule.sentence,
        "answer": judgement.answer,
        "summary": judgement.summary,
        "holds": len(judgement.having(Outcome.HOLDS)),
        "violated": len(judgement.having(Outcome.VIOLATED)),
        "inconclusive": len(judgement.having(Outcome.INCONCLUSIVE)),
        "verdicts": [_verdict(check, verdict) for verdict in judgement.verdicts if verdict.answer is not Outcome.HOLDS],
    }


def _verdict(check: RoomCheck, verdict: Verdict) -> dict[str, Any]:
    return {
        "answer": verdict.answer,
        "sentence": verdict.sentence,
        "why": verdict.why or None,
        "least_ms": _ms(verdict.apart.least),
        "most_ms": _ms(verdict.apart.most),
        "steps": [_step(check, step) for step in verdict.steps],
    }


def _step(check: RoomCheck, step: Step) -> dict[str, Any]:
    created = check.timeline.room.created
    return {
        "kind": step.kind,
        "subject": step.subject,
        "time": rfc3339(step.time),
        "offset_ms": None if created is None else (step.time - created.time) / NS_PER_MS,
        "reports": [
            {
                "witness": moment.witness,
                "clock": moment.clock,
                "time": rfc3339(moment.time),
                "earliest": rfc3339(moment.earliest),
                "latest": rfc3339(moment.latest),
            }
            for moment in step.moments
        ],
    }


def _clock(check: RoomCheck, clock: Clock, offset: Offset) -> dict[str, Any]:
    return {
        "clock": clock.kind,
        "host": clock.host or None,
        "sid": clock.sid or None,
        "least_ms": _ms(offset.least),
        "most_ms": _ms(offset.most),
        "contradictory": offset.contradictory,
        "off": offset.off,
        "by_least": [_step(check, step) for step in offset.by_least],
        "by_most": [_step(check, step) for step in offset.by_most],
    }


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / NS_PER_MS
