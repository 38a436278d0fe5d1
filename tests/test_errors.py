from __future__ import annotations

import inspect

import pytest

from tracer import errors
from tracer.errors import ConfigurationError, PortInUseError, TracerError, UnknownRoomError

ALL = [getattr(errors, name) for name in errors.__all__]


def test_every_error_is_one_of_ours_and_says_what_it_means() -> None:
    for error in ALL:
        assert issubclass(error, TracerError), error
        assert error.__doc__, error
        assert error is TracerError or error.__doc__ != TracerError.__doc__, error


def test_every_error_is_public() -> None:
    defined = {name for name, it in vars(errors).items() if inspect.isclass(it) and issubclass(it, Exception)}
    assert defined == set(errors.__all__)


def test_misuse_exits_with_2_and_all_else_with_1() -> None:
    assert {error.exit_code for error in ALL if issubclass(error, ConfigurationError)} == {2}
    assert {error.exit_code for error in ALL if not issubclass(error, ConfigurationError)} == {1}


@pytest.mark.parametrize(
    ("error", "value", "help_"),
    [
        (PortInUseError("127.0.0.1", 7890), "127.0.0.1:7890", "--port"),
        (UnknownRoomError("my room", "a.db"), "'my room' in a.db", "tracer rooms"),
        (UnknownRoomError("two\nlines\x1b[31m\udcff", "a.db"), r"'two\nlines\x1b[31m\udcff'", "tracer rooms"),
    ],
)
def test_an_error_names_the_value_and_the_way_out_in_one_line(error: TracerError, value: str, help_: str) -> None:
    assert value in str(error)
    assert help_ in str(error)
    assert "\n" not in str(error)
