from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracer.ids import span_id, trace_id

SIDS = st.from_regex(r"(RM|PA|AD|AJ)_[A-Za-z0-9]{12}", fullmatch=True)


def test_ids_never_change_from_one_version_to_the_next() -> None:
    # Two processes of different versions must put their spans into one trace.
    assert f"{trace_id('RM_ev5rQjUVknES'):032x}" == "9233592d7eb99168ac3890b5e39b8e54"
    assert f"{span_id('room', 'RM_ev5rQjUVknES'):016x}" == "9233592d7eb99168"


@given(SIDS, SIDS)
def test_ids_fit_opentelemetry_and_differ(one: str, other: str) -> None:
    assert 0 < trace_id(one) < 2**128
    assert 0 < span_id("participant", one) < 2**64
    assert span_id("participant", one) != span_id("ACTIVE", one)
    assert (trace_id(one) == trace_id(other)) is (one == other)
    assert (span_id("job", one) == span_id("job", other)) is (one == other)
