from __future__ import annotations

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from tracer.doctor.backend import _span


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_SAMPLER", "always_off"), ("UNUSED", "")]
)
def test_a_span_is_there_whatever_opentelemetrys_variables_say(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert encode_spans([_span()]).resource_spans[0].scope_spans[0].spans[0].name == "doctor"
