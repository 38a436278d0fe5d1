from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from tracer.service.background import in_background

if TYPE_CHECKING:
    import pytest


def test_what_ends_by_a_fault_is_said_and_what_is_cancelled_is_not(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise TypeError("unexpected keyword")

    async def main() -> None:
        failing, waiting = in_background(fails(), "poll"), in_background(asyncio.sleep(60), "wait")
        await asyncio.wait({failing})
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting

    asyncio.run(main())
    assert [record.getMessage() for record in caplog.records] == ["no longer able to poll: restart the service"]
