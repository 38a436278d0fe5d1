from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tracer.doctor.diagnosis import CheckName, Diagnosis, State
from tracer.view.doctor import DiagnosisView, as_json

FAILED = Diagnosis(
    CheckName.WEBHOOKS,
    State.FAILED,
    "no webhook arrived within 4 s of creating a room",
    "in livekit.yaml: webhook: {api_key: 'devkey', urls: [\"http://127.0.0.1:7890/webhook\"]}",
)


def shown(finding: Diagnosis, width: int) -> list[str]:
    out = Console(file=io.StringIO(), width=width, color_system=None, highlight=False, markup=False, emoji=False)
    out.print(DiagnosisView([finding]))
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


def test_what_fits_is_one_line() -> None:
    assert shown(Diagnosis(CheckName.SERVER, State.OK, "LiveKit answers in 3.1 ms"), 60) == [
        "✓ server    LiveKit answers in 3.1 ms",
    ]
    assert shown(Diagnosis(CheckName.SERVER, State.FAILED, "it is off", "start it"), 60) == [
        "✗ server    it is off → start it",
    ]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            120,
            [
                "✗ webhooks  no webhook arrived within 4 s of creating a room",
                """            → in livekit.yaml: webhook: {api_key: 'devkey', urls: ["http://127.0.0.1:7890/webhook"]}""",
            ],
        ),
        (
            60,
            [
                "✗ webhooks  no webhook arrived within 4 s of creating a room",
                "            → in livekit.yaml: webhook: {api_key: 'devkey',",
                """              urls: ["http://127.0.0.1:7890/webhook"]}""",
            ],
        ),
    ],
)
def test_the_fix_is_below_where_it_does_not_fit(width: int, lines: list[str]) -> None:
    assert shown(FAILED, width) == lines


@given(st.sampled_from(State), st.text(max_size=300), st.text(max_size=300), st.sampled_from((60, 80, 120)))
def test_whatever_is_said_fits_the_width_and_is_harmless(state: State, text: str, fix: str, width: int) -> None:
    for line in shown(Diagnosis(CheckName.WORKERS, state, text, fix), width):
        assert cell_len(line) <= width
        assert not any(char in line for char in "\x1b\x07\r\u202e\u200b")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_word_is_lost(width: int) -> None:
    told = " ".join(" ".join(shown(FAILED, width)).split())
    assert told == f"✗ webhooks {FAILED.text} → {FAILED.fix}"


def test_as_json_a_fix_that_is_not_needed_is_null() -> None:
    fine = Diagnosis(CheckName.SERVER, State.OK, "\x1b[31m")
    told = as_json([fine])
    assert told == {
        "schema": "tracer.doctor/1",
        "sound": True,
        "findings": [{"check": "server", "state": "ok", "text": "\x1b[31m", "fix": None}],
    }


@pytest.mark.parametrize(("state", "sound"), [(State.WARNING, True), (State.SKIPPED, True), (State.FAILED, False)])
def test_only_what_failed_is_not_sound(state: State, sound: bool) -> None:
    assert as_json([Diagnosis(CheckName.CLOCKS, state, "")])["sound"] is sound
