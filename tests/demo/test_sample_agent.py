from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.chdir(tmp_path)  # where no .env is
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    from agent import agent

    return agent


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (("ada", "Ada", "", {}), ["You help Ada on the phone", "Their identity is ada."]),
        (("ada", "", "", {}), ["You help ada on the phone"]),
        (("ada", "Ada", "", {"tier": "gold", "language": "de"}), ["Their tier is gold.", "Their language is de."]),
        (("ada", "Ada", '{"last order": "bicycle"}', {}), ['What else is known of them: {"last order": "bicycle"}']),
        (("ada", "Ada", "", {"sip.phoneNumber": "+4930"}), ["Their sip.phoneNumber is +4930."]),
    ],
)
def test_what_is_known_of_the_caller_is_in_the_instructions(
    sample: ModuleType, caller: tuple[str, str, str, dict[str, str]], expected: list[str]
) -> None:
    told = sample.instructions(*caller)
    for sentence in expected:
        assert sentence in told


def test_nothing_is_said_of_what_is_not_known(sample: ModuleType) -> None:
    told = sample.instructions("ada", "Ada", "", {"lk.agent.state": "listening"})
    assert "lk." not in told
    assert "What else" not in told


def test_without_a_key_there_are_no_models_and_the_plugin_is_not_loaded(sample: ModuleType) -> None:
    assert sample.models() == {}
    assert not hasattr(sample, "openai")
