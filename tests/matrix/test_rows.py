from __future__ import annotations

import pytest

from tests.matrix.rows import IN_CI, ROWS, chosen


def test_names_choose_rows_and_without_any_it_is_those_of_ci() -> None:
    assert chosen("all") == ROWS
    assert chosen("") == IN_CI
    assert list(map(str, chosen("python-3.12 livekit-agents-1.3.12"))) == ["livekit-agents-1.3.12", "python-3.12"]


def test_a_name_that_none_has_is_no_empty_run() -> None:
    with pytest.raises(ValueError, match=r"no row python-2\.7 in livekit-agents-1\.3\.12, "):
        chosen("python-3.12 python-2.7")


def test_names_are_all_different_and_ci_has_rows_of_the_whole() -> None:
    assert len(set(map(str, ROWS))) == len(ROWS)
    assert set(IN_CI) < set(ROWS)
