"""Audio that one side encrypts end to end, and the other does not."""

from __future__ import annotations

import pytest

from tests.moments import JOB, MICROPHONE, VOICE
from tests.why.cases import Case, check, found, with_facts
from tests.why.silent.calls import long_call
from tracer import keys
from tracer.moment import Kind, Moment


def encrypted(*tracks: str) -> list[Moment]:
    """The long call, with these tracks encrypted."""
    call = long_call()
    for track in tracks:
        call = with_facts(call, Kind.TRACK_PUBLISHED, track, {keys.TRACK_ENCRYPTION: "GCM"})
    return call


ENCRYPTION = (
    Case(
        "the caller has a key, the agent has none",
        "encryption-differs",
        encrypted(MICROPHONE),
        f"The audio of ada was encrypted end to end, and that of agent-{JOB} was not: for 33.",
        ((Kind.TRACK_PUBLISHED, MICROPHONE), (Kind.TRACK_PUBLISHED, VOICE)),
    ),
)


@pytest.mark.parametrize("case", ENCRYPTION, ids=lambda case: case.label)
def test_it_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("tracks", [(), (MICROPHONE, VOICE)])
def test_who_have_both_a_key_or_both_none(tracks: tuple[str, ...]) -> None:
    assert found(encrypted(*tracks)) == []


def test_the_agent_alone_encrypts() -> None:
    assert found(encrypted(VOICE)) == ["encryption-differs"]
