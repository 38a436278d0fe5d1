"""All checks, in the order in which one depends on another."""

from __future__ import annotations

from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Protocol

from livekit import api

from tracer.answers.of_aiohttp import bounded_api, bounded_session
from tracer.doctor.backend import BackendCheck
from tracer.doctor.clocks import ClockCheck
from tracer.doctor.diagnosis import CheckName, Diagnosis, State, short
from tracer.doctor.module_name import ModuleNameCheck
from tracer.doctor.protocol import ProtocolCheck
from tracer.doctor.receiver import ReceiverCheck, ask
from tracer.doctor.scratch import ScratchRoom
from tracer.doctor.server import ServerCheck
from tracer.doctor.visit import LIMIT, Setup, Visit
from tracer.doctor.webhooks import WebhookCheck
from tracer.doctor.workers import WorkerCheck
from tracer.errors import StoreError
from tracer.reaching import UNREACHED, in_words
from tracer.store import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracer.store import Reader

__all__ = ["examine"]


class Check(Protocol):
    """One thing that is checked."""

    name: CheckName

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """Its findings: one, or one for each worker or agent."""


WITH_ROOM: tuple[Check, ...] = (
    ReceiverCheck(),
    WebhookCheck(),
    WorkerCheck(),
    BackendCheck(),
    ProtocolCheck(),
    ClockCheck(),
)
"""Checks while there is a scratch room: an agent connects during the first of them."""


async def examine(setup: Setup, show: Callable[[Diagnosis], None]) -> list[Diagnosis]:
    """Make every check and ``show`` each finding as soon as it is there. The scratch room is deleted however it ends.

    Raises ConfigurationError for a store that is of no kind known.
    """
    reader, why = _store(setup.store)
    found: list[Diagnosis] = []
    with closing(reader) if reader else nullcontext():
        async with bounded_session(LIMIT) as session:
            visit = Visit(setup, session, reader, why)

            async def make(check: Check) -> None:
                for finding in await _guarded(check, visit):
                    found.append(finding)
                    show(finding)

            await make(ModuleNameCheck())
            await make(ServerCheck())
            await ask(visit)
            server = setup.server
            livekit = bounded_api(session, server.url, server.api_key, server.api_secret, failover=False)
            room = ScratchRoom(livekit, visit.names())
            try:
                await _create(room, visit)
                for check in WITH_ROOM:
                    await make(check)
            finally:
                if visit.server_works:
                    await room.remove(reader)
    return found


def _store(location: str) -> tuple[Reader | None, str]:
    try:
        return open_reader(location), ""
    except StoreError as error:
        return None, str(error)


async def _create(room: ScratchRoom, visit: Visit) -> None:
    if not visit.server_works:
        visit.why_no_room = "it needs the server"
        return
    try:
        await room.create()
    except api.TwirpError as error:
        visit.why_no_room = f"the server did not create a room ({short(error.code)})"
    except UNREACHED as error:
        visit.why_no_room = f"the server did not create a room: {in_words(error, LIMIT)}"
    else:
        visit.room = room


async def _guarded(check: Check, visit: Visit) -> list[Diagnosis]:
    """A server that stops answering half-way is a finding too."""
    try:
        return await check.examine(visit)
    except StoreError as error:
        return [Diagnosis(check.name, State.FAILED, str(error))]
    except UNREACHED as error:
        return [Diagnosis(check.name, State.FAILED, f"the check could not be completed: {in_words(error, LIMIT)}")]
