"""A telephone that the agent greets while it rings."""

from __future__ import annotations

import pytest

from tests.moments import ADA, JOB, _polled
from tests.why.cases import Case, check, found, timeline, with_facts
from tests.why.silent.calls import long_call
from tests.why.silent.test_speaks_silence import spoke
from tests.why.silent.test_taken_away import reported
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.why import explain
from tracer.witness.fields import attribute_facts

STATUS = keys.PARTICIPANT_ATTRIBUTE + "sip.callStatus"


def status(at: float, value: str) -> Moment:
    return reported(Kind.PARTICIPANT_ATTRIBUTES_CHANGED, ADA, at, {STATUS: value})


def called(*more: Moment, last: str = "active") -> list[Moment]:
    """ada is called by telephone, which rings when she is JOINING; at the end of what is known it has this status."""
    made = long_call()
    for kind in (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE):
        made = with_facts(made, kind, ADA, {STATUS: "ringing"})
    return [*with_facts(made, Kind.PARTICIPANT_LEFT, ADA, {STATUS: last}), *more]


ANSWERED = status(9000, "active")

WHILE_RINGING = (
    Case(
        "greeted while it rang",
        "spoke-while-ringing",
        called(*spoke(2000, 3.0), ANSWERED, *spoke(20_000, 2.0)),
        f"The agent of job {JOB} spoke 7.0 s before ada answered the telephone, and not again when they had.",
        ((Kind.AGENT_SPEAKING, JOB), (Kind.PARTICIPANT_ATTRIBUTES_CHANGED, ADA)),
    ),
    Case(
        "greeted while it rang, and polled, too",
        "spoke-while-ringing",
        called(
            *spoke(2000, 3.0),
            _polled(Kind.PARTICIPANT_ATTRIBUTES_CHANGED, ADA, 4000, 10_000, {STATUS: "active"}),
            ANSWERED,
        ),
        "spoke 7.0 s before ada answered the telephone",
        ((Kind.AGENT_SPEAKING, JOB), (Kind.PARTICIPANT_ATTRIBUTES_CHANGED, ADA)),
    ),
)


@pytest.mark.parametrize("case", WHILE_RINGING, ids=lambda case: case.label)
def test_it_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(
    "moments",
    [
        called(ANSWERED, *spoke(9100, 3.0)),
        called(*spoke(2000, 3.0), ANSWERED, *spoke(12_000, 3.0)),
        called(*spoke(7000, 4.0), ANSWERED),
        called(*spoke(2000, 3.0), status(5100, "ringing"), status(6000, "hangup"), last="hangup"),
        [*long_call(), *spoke(2000, 3.0), ANSWERED],
    ],
    ids=["after the answer", "again", "until they answered", "nobody answered", "no telephone"],
)
def test_words_that_were_heard_are_no_fault(moments: list[Moment]) -> None:
    assert "spoke-while-ringing" not in found(moments)


@pytest.mark.parametrize(
    ("moments", "said"),
    [
        (called(*spoke(2000, 3.0)), "rang when it joined, and when it was answered is not known"),
        (called(*spoke(2000, 3.0), last="hangup"), "was last reported as hangup, and whether it was answered"),
        (called(*spoke(2000, 3.0), last="ringing"), "was last reported as ringing, and whether it was answered"),
    ],
    ids=["answered unseen", "hung up", "rings"],
)
def test_where_nobody_saw_the_answer_it_is_not_known(moments: list[Moment], said: str) -> None:
    answer = explain(timeline(moments))
    assert answer.well is None
    assert said in answer.summary


def test_with_redact_it_is_found_too() -> None:
    told = attribute_facts({"sip.callStatus": "active", "sip.phoneNumber": "+15550100"})
    rang = attribute_facts({"sip.callStatus": "ringing"})
    moments = called(*spoke(2000, 3.0))
    for kind in (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE):
        moments = with_facts(moments, kind, ADA, rang)
    answered = reported(Kind.PARTICIPANT_ATTRIBUTES_CHANGED, ADA, 9000, told)
    kept = [moment.redacted() for moment in [*moments, answered]]
    assert found(kept) == ["spoke-while-ringing"]
    assert "+15550100" not in repr(kept)
    assert keys.CALL_STATUS not in attribute_facts({"sip.callStatus": "Ada Lovelace"})


def test_who_is_removed_while_their_telephone_rings_was_given_up_on() -> None:
    removed = {keys.DISCONNECT_REASON: "PARTICIPANT_REMOVED"}
    rang = with_facts(called(last="ringing"), Kind.PARTICIPANT_LEFT, ADA, removed)
    explanation = explain(timeline(rang))
    assert explanation.findings == ()
    assert explanation.well is None
    assert "the telephone of ada was last reported as ringing" in explanation.summary
    assert found(with_facts(called(ANSWERED), Kind.PARTICIPANT_LEFT, ADA, removed)) == ["removed"]
