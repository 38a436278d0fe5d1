from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ServerTimeoutError
from livekit.agents.worker import ServerType

from tests.instrumentation.worker import Heard, Server, accepts
from tests.moments import WORKER
from tracer import keys
from tracer.instrumentation.worker_connection import UNNOTICED
from tracer.moment import Kind


def registered(heard: Heard, worker: str = WORKER) -> dict[str, Any]:
    heard.server.id = worker
    heard.server.events["worker_registered"](worker, None)
    return heard.last


def breaks(heard: Heard, error: BaseException | None = None, noticed: object = None) -> None:
    """The connection runs until it raises."""
    error = error or RuntimeError("closed unexpectedly")
    heard.server.breaks = error  # type: ignore[assignment]  # a cancellation too
    with pytest.raises(type(error)):
        asyncio.run(heard.server._run_ws(SimpleNamespace(exception=lambda: noticed)))


def test_registering_is_reported_under_the_id_that_the_server_gave(heard: Heard) -> None:
    heard.server._server_type = ServerType.PUBLISHER
    told = registered(heard, "AW_given")
    assert heard.kinds == [Kind.WORKER_REGISTERED]
    assert (told[keys.SUBJECT], told[keys.JOB_TYPE]) == ("AW_given", "JT_PUBLISHER")
    assert not {keys.DEPLOYMENT, keys.WORKER_PREVIOUS_ID} & told.keys()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("wss://key:secret@livekit.example/path?token=1", "livekit.example:443"),
        ("ws://127.0.0.1:7880", "127.0.0.1:7880"),
        ("http://LiveKit", "livekit:80"),
        ("ws://[::1]:7880", "[::1]:7880"),
        ("ws://host:port", None),
        ("livekit.example", None),
        ("", None),
        (None, None),
    ],
)
def test_the_server_is_reported_by_host_and_port(heard: Heard, url: str, expected: str | None) -> None:
    heard.server._ws_url = url
    assert registered(heard).get(keys.WORKER_SERVER) == expected


def test_a_deployment_is_reported(heard: Heard) -> None:
    heard.server._deployment = "blue"
    assert registered(heard)[keys.DEPLOYMENT] == "blue"


def test_a_broken_connection_is_reported_when_it_breaks_and_the_worker_is_then_another(heard: Heard) -> None:
    registered(heard)
    before = time.time_ns()
    breaks(heard)
    assert heard.kinds == [Kind.WORKER_REGISTERED, Kind.WORKER_DISCONNECTED]
    told = heard.last
    assert (told[keys.SUBJECT], told[keys.ERROR_TYPE]) == (WORKER, "RuntimeError")
    assert told[keys.EARLIEST] == told[keys.LATEST]
    assert int(told[keys.EARLIEST]) >= before
    told = registered(heard, "AW_again")
    assert (told[keys.SUBJECT], told[keys.WORKER_PREVIOUS_ID]) == ("AW_again", WORKER)
    assert Kind.WORKER_CLOSED not in heard.kinds


def test_one_that_was_silent_broke_at_some_time_before(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(heard)
    at = time.time_ns() + 10 * UNNOTICED
    monkeypatch.setattr("tracer.instrumentation.worker_connection.time.time_ns", lambda: at)
    breaks(heard, noticed=ServerTimeoutError("No PONG received"))
    assert (int(heard.last[keys.EARLIEST]), int(heard.last[keys.LATEST])) == (at - UNNOTICED, at)


def test_but_not_before_it_was_made(heard: Heard) -> None:
    registered(heard)
    breaks(heard, noticed=ServerTimeoutError("No PONG received"))
    assert int(heard.last[keys.EARLIEST]) == heard.spans[0].start_time


def test_a_worker_that_closes_has_not_lost_its_connection(heard: Heard) -> None:
    registered(heard)
    breaks(heard, asyncio.CancelledError())
    heard.server.breaks = None
    assert asyncio.run(heard.server._run_ws("once")) == "ran once"
    heard.process.closed()
    assert heard.kinds == [Kind.WORKER_REGISTERED, Kind.WORKER_CLOSED]


def test_a_livekit_agents_without_the_method_costs_what_it_would_have_shown(server: Server) -> None:
    bare = SimpleNamespace(id=WORKER, draining=False, _request_fnc=accepts, on=server.on)
    heard = Heard(bare)  # type: ignore[arg-type]
    asyncio.run(heard.listen())
    server.events["worker_registered"](WORKER, None)
    assert heard.kinds == [Kind.WORKER_REGISTERED]
