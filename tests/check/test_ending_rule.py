from __future__ import annotations

import pytest

from tests.check.judging import judged
from tests.moments import (
    ABOUT_ADA,
    ABOUT_ROOM,
    ADA,
    ROOM,
    moment,
    ms,
)
from tracer.check import Outcome
from tracer.moment import Kind, Moment


def closed(witness: str = "webhook") -> Moment:
    return moment(Kind.ROOM_FINISHED, ROOM, ms(9000), witness=witness, told=ABOUT_ROOM)


def there(witness: str) -> Moment:
    return moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(100), witness=witness, told=ABOUT_ADA)


def gone(kind: Kind, witness: str) -> Moment:
    return moment(kind, ADA, ms(8000), witness=witness, told=ABOUT_ADA)


@pytest.mark.parametrize(
    ("moments", "answer"),
    [
        ([closed(), there("webhook"), gone(Kind.PARTICIPANT_LEFT, "webhook")], Outcome.HOLDS),
        ([closed(), gone(Kind.PARTICIPANT_ABORTED, "webhook")], Outcome.HOLDS),
        # The observer cannot tell one from the other.
        ([closed(), gone(Kind.PARTICIPANT_ABORTED, "webhook"), gone(Kind.PARTICIPANT_LEFT, "observer")], Outcome.HOLDS),
        (
            [closed(), gone(Kind.PARTICIPANT_ABORTED, "webhook"), gone(Kind.PARTICIPANT_LEFT, "webhook")],
            Outcome.VIOLATED,
        ),
        # A lost webhook is no fault of the server's, and the observer asks now and then.
        ([closed(), there("webhook")], Outcome.INCONCLUSIVE),
        ([closed(), closed("observer"), there("webhook"), there("observer")], Outcome.INCONCLUSIVE),
    ],
)
def test_when_a_room_closes_everyone_has_gone_once(moments: list[Moment], answer: Outcome) -> None:
    assert judged(*moments).judgements[8].verdicts[-1].answer is answer


def test_an_open_room_has_no_end_to_judge() -> None:
    last = judged(there("webhook")).judgements[8]
    assert (last.answer, last.summary) == (
        Outcome.INCONCLUSIVE,
        "inconclusive: the room is open, or its end was not observed",
    )
