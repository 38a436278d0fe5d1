from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from tests.moments import JOB, any_moments
from tests.view.test_check import judged, wrong_call
from tracer.view.check_json import as_json

if TYPE_CHECKING:
    from tracer.moment import Moment


def test_json_has_every_field_and_unknown_ones_as_null() -> None:
    output = as_json([judged(*wrong_call()), judged()])
    assert output["schema"] == "tracer.check/1"
    first, empty = output["rooms"]
    assert list(first) == ["sid", "name", "answer", "rules", "clocks"]
    assert (first["answer"], empty["answer"], empty["name"]) == ("violated", "inconclusive", None)
    for rule in (*first["rules"], *empty["rules"]):
        assert list(rule) == [
            "number", "name", "sentence", "answer", "summary", "holds", "violated", "inconclusive", "verdicts",
        ]  # fmt: skip
        assert rule["violated"] + rule["inconclusive"] == len(rule["verdicts"])
        for verdict in rule["verdicts"]:
            assert list(verdict) == ["answer", "sentence", "why", "least_ms", "most_ms", "steps"]
            assert all(list(s) == ["kind", "subject", "time", "offset_ms", "reports"] for s in verdict["steps"])
    assert [clock["clock"] for clock in first["clocks"]] == ["agent", "receiver"]
    agent = first["clocks"][0]
    assert (agent["host"], agent["sid"], agent["contradictory"], agent["off"]) == (None, JOB, False, False)
    assert agent["most_ms"] == pytest.approx(0.400512)


@given(any_moments())
def test_any_moments_are_json(moments: list[Moment]) -> None:
    checked = as_json([judged(*moments)])
    assert json.loads(json.dumps(checked, allow_nan=False)) == checked
