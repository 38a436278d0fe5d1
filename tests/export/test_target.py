from __future__ import annotations

import pytest

from tracer.errors import ConfigurationError
from tracer.export.target import PATIENCE, Target

BASE = "OTEL_EXPORTER_OTLP"


@pytest.fixture(autouse=True)
def _endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{BASE}_ENDPOINT", "http://ada:s3cret@backend.example:4318/otlp/")


def test_without_an_endpoint_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{BASE}_ENDPOINT")
    assert Target.from_env() is None


def test_the_general_endpoint_gets_the_path_of_traces_and_that_of_traces_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = Target.from_env()
    assert target
    assert (target.url, target.shown) == (
        "http://ada:s3cret@backend.example:4318/otlp/v1/traces",
        "http://backend.example:4318/otlp",
    )
    assert (target.headers, target.compression, target.patience, target.tls) == ({}, "", PATIENCE, True)
    monkeypatch.setenv(f"{BASE}_TRACES_ENDPOINT", "https://other.example/x")
    other = Target.from_env()
    assert other
    assert (other.url, other.shown) == ("https://other.example/x", "https://other.example/x")


def test_opentelemetrys_other_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{BASE}_HEADERS", "Authorization=Basic%20YTpi==, x-scope = a b ,")
    monkeypatch.setenv(f"{BASE}_TIMEOUT", "5")
    monkeypatch.setenv(f"{BASE}_TRACES_TIMEOUT", "7.5")
    monkeypatch.setenv(f"{BASE}_COMPRESSION", "gzip")
    target = Target.from_env()
    assert target
    assert target.headers == {"authorization": "Basic YTpi==", "x-scope": "a b"}
    assert (target.patience, target.compression) == (7.5, "gzip")
    assert "YTpi" not in repr(target)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEADERS", "SECRET"),
        ("HEADERS", "key=SECRET%0d%0ax: y"),
        ("HEADERS", "key=SECRET\N{SNOWMAN}"),
        ("TIMEOUT", "soon"),
        ("TIMEOUT", "0"),
        ("TIMEOUT", "nan"),
        ("CERTIFICATE", "/nowhere.pem"),
        ("CLIENT_CERTIFICATE", "/nowhere.pem"),
    ],
)
def test_a_value_that_cannot_be_used_is_said_without_what_may_be_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"{BASE}_{name}", value)
    with pytest.raises(ConfigurationError, match=f"{BASE}_{name}|…_{name}") as error:
        Target.from_env()
    assert "SECRET" not in str(error.value)
