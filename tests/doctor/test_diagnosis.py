from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.doctor.diagnosis import LONGEST_NAME, quoted
from tracer.settings import address


@given(st.text())
def test_a_name_is_of_bearable_length_and_on_one_line(name: str) -> None:
    shown = quoted(name)
    assert shown.isprintable()
    assert len(quoted("a" * len(name))) <= LONGEST_NAME + 2


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ws://127.0.0.1:7880", "ws://127.0.0.1:7880"),
        ("https://user:secret@a.example/livekit/?token=secret#secret", "https://a.example/livekit"),
        ("wss://[::1]:7880/", "wss://[::1]:7880"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(url: str, shown: str) -> None:
    assert address(url) == shown
