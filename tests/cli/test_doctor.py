from __future__ import annotations

import json

import pytest

from tests.cli.test_cli import KEYS, Tracer
from tracer.local_servers import free_port


def test_without_a_server_to_look_at_it_is_misuse(tracer: Tracer) -> None:
    assert "LIVEKIT_URL" in tracer.fails(2, "doctor", **KEYS)
    assert "LIVEKIT_API_KEY" in tracer.fails(2, "doctor", LIVEKIT_URL="ws://127.0.0.1:1")
    assert list(tracer.folder.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"LIVEKIT_URL": "localhost:7880"},
        {"TRACER_ENDPOINT": "127.0.0.1:7890"},
        {"TRACER_JAEGER_URL": "jaeger"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318"},
        {"TRACER_STORE": "jaeger+http://127.0.0.1:16686"},
    ],
)
def test_an_address_that_is_none_is_misuse_and_is_named(tracer: Tracer, wrong: dict[str, str]) -> None:
    [(name, value)] = wrong.items()
    line = tracer.fails(2, "doctor", **{**KEYS, "LIVEKIT_URL": f"ws://127.0.0.1:{free_port()}", **wrong})
    assert repr(value) in line
    assert name in line or "--store" in line


def test_where_there_is_nothing_all_that_can_be_said_is_said_at_once(tracer: Tracer) -> None:
    nowhere = {
        "LIVEKIT_URL": f"ws://127.0.0.1:{free_port()}",
        "TRACER_ENDPOINT": f"http://127.0.0.1:{free_port()}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}",
    }
    ran = tracer("doctor", **KEYS, **nowhere)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "\x1b" not in ran.stdout
    assert KEYS["LIVEKIT_API_SECRET"] not in ran.stdout
    marks = {line.split()[1]: line[0] for line in ran.stdout.splitlines() if line[0] != " "}
    assert marks == {
        "server": "✗",
        "receiver": "✗",
        "webhooks": "–",  # noqa: RUF001
        "workers": "–",  # noqa: RUF001
        "backend": "✗",
        "clocks": "–",  # noqa: RUF001
    }
    told = json.loads(tracer("doctor", "--format", "json", **KEYS, **nowhere).stdout)
    assert [one["check"] for one in told["findings"]] == list(marks)
    assert list(tracer.folder.iterdir()) == []
