from __future__ import annotations

import asyncio

import pytest

from tests.instrumentation.receiver import Receiver
from tests.instrumentation.worker import Heard, Server, accepts


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    return Receiver(monkeypatch)


@pytest.fixture
def server() -> Server:
    return Server(_request_fnc=accepts)


@pytest.fixture
def heard(server: Server) -> Heard:
    made = Heard(server)
    asyncio.run(made.listen())
    return made
