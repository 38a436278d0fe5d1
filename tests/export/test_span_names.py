from __future__ import annotations

import pytest
from livekit.protocol.models import ParticipantInfo

from tests.moments import ADA, AGENT, ROOM, call, moment, ms
from tracer import keys
from tracer.export.span_names import KINDS, LONGEST, SpanNames, with_names
from tracer.export.spans import spans
from tracer.moment import Kind
from tracer.timeline.fold import fold


def names(how: SpanNames) -> set[str]:
    return {span.name for span in spans(fold(ROOM, call()), how)}


def test_few_names_hold_a_kind_and_nothing_of_one_call() -> None:
    assert names(SpanNames.FEW) == {
        "room",
        "room_started",
        "dispatch",
        "job",
        "participant STANDARD",
        "participant AGENT",
        "JOINING",
        "JOINED",
        "ACTIVE",
    }


def test_full_names_tell_whose_they_are() -> None:
    assert {"room demo", "participant STANDARD ada", "dispatch ghost"} <= names(SpanNames.FULL)


def test_names_change_no_id_and_nothing_else() -> None:
    few, full = spans(fold(ROOM, call())), spans(fold(ROOM, call()), SpanNames.FULL)
    assert [(s.span_id, s.parent_id, s.attributes, s.events) for s in few] == [
        (s.span_id, s.parent_id, s.attributes, s.events) for s in full
    ]


def test_a_redacted_room_has_no_name_to_show() -> None:
    made = spans(fold(ROOM, [m.redacted() for m in call()]), SpanNames.FULL)
    assert not [span.name for span in made if "ada" in span.name or "demo" in span.name or "agent-" in span.name]


def test_every_kind_that_livekit_has_is_shown() -> None:
    assert set(ParticipantInfo.Kind.keys()) == KINDS


def test_a_kind_that_is_not_known_makes_no_name_of_its_own() -> None:
    joining = moment(Kind.PARTICIPANT_JOINING, ADA, ms(1), told={keys.PARTICIPANT_KIND: "KIND_99"})
    made = spans(fold(ROOM, [joining, moment(Kind.PARTICIPANT_LEFT, ADA, ms(9))]))
    assert "participant" in {span.name for span in made}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\x1b[31m", "a b [31m"),
        ("\u202egnp.exe", "gnp.exe"),
        ("Zoë & 会议", "Zoë & 会议"),
        ("", ""),
        ("\x00", ""),
        ("x" * LONGEST, "x" * LONGEST),
        ("x" * 1_000_000, "x" * LONGEST + "…"),
    ],
)
def test_text_from_outside_is_one_short_line(text: str, shown: str) -> None:
    assert with_names("room", text) == f"room {shown}".rstrip()


def test_what_a_participant_is_lost_with_is_an_agent() -> None:
    assert {AGENT, ADA} <= {
        dict(span.attributes).get(keys.PARTICIPANT_ID) for span in spans(fold(ROOM, call())) if " " in span.name
    }
