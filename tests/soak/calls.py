"""Healthy calls of as many kinds as people make: nothing is wrong in any of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from livekit.api import UpdateParticipantRequest
from livekit.protocol.models import ParticipantPermission

from tests.live import voice
from tests.soak.caller import Caller
from tracer.demo.play import DemoWorker
from tracer.demo.tokens import caller_token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.soak.caller import Call

__all__ = ["KINDS", "WORKERS", "Kind"]

AGENT = Path(__file__).parent / "agents" / "healthy.py"
MODELS = "models"
"""The workers that are given a model's address."""
WORKERS = {
    "unnamed": (DemoWorker("", AGENT),),
    "named": (DemoWorker("helper", AGENT), DemoWorker("second", AGENT)),
    "participant": (DemoWorker("", AGENT, {"JOB_TYPE": "JT_PARTICIPANT"}),),
    "publisher": (DemoWorker("", AGENT, {"JOB_TYPE": "JT_PUBLISHER"}),),
    MODELS: (DemoWorker(),),
    "plain": (DemoWorker("", AGENT, {"INSTRUMENTED": "no"}, instrumented=False),),
}
"""The workers that run while calls of their kinds are made."""


class Kind(NamedTuple):
    """One kind of healthy call."""

    name: str
    about: str
    workers: str
    play: Callable[[Call], Awaitable[None]]
    well: tuple[bool | None, ...]
    """What `why` may say: that it is well or, where nobody can know, that this is not known."""


KINDS: list[Kind] = []
KNOWN, UNKNOWN = (True,), (None,)
EITHER = (True, None)


def healthy(
    workers: str = "unnamed", well: tuple[bool | None, ...] = KNOWN
) -> Callable[[Callable[[Call], Awaitable[None]]], Callable[[Call], Awaitable[None]]]:
    """Add a kind of call, with the function's name and the first line of its docstring."""

    def added(play: Callable[[Call], Awaitable[None]]) -> Callable[[Call], Awaitable[None]]:
        KINDS.append(Kind(play.__name__.replace("_", "-"), (play.__doc__ or "").strip(), workers, play, well))
        return play

    return added


@healthy()
async def automatic(call: Call) -> None:
    """The join makes the room and its dispatch."""
    async with Caller(call) as ada:
        await ada.talks()


@healthy()
async def without_a_wait(call: Call) -> None:
    """The agent starts its session first, and connects with it."""
    async with Caller(call) as ada:
        await ada.talks()


@healthy()
async def precreated(call: Call) -> None:
    """The room is created before, and the agent waits in it."""
    await call.room_without_callers()
    async with Caller(call) as ada:
        await ada.talks()


@healthy()
async def two_callers(call: Call) -> None:
    """Two callers at once; the agent listens to the first."""
    async with Caller(call) as ada:
        await ada.meets_agent()
        async with Caller(call, "bob") as bob:
            await asyncio.gather(ada.talks(), bob.talks())


@healthy()
async def in_turn(call: Call) -> None:
    """Two callers in turn, each with a session of their own."""
    for identity in ("ada", "bob"):
        async with Caller(call, identity) as caller:
            await caller.talks()


@healthy()
async def mutes(call: Call) -> None:
    """The caller mutes for a while."""
    async with Caller(call) as ada:
        await ada.talks(2)
        ada.mutes()
        await asyncio.sleep(2)
        ada.mutes(off=True)
        await asyncio.sleep(1)


@healthy()
async def text_only(call: Call) -> None:
    """Agent and caller write to each other."""
    async with Caller(call, silent=True) as ada:
        await ada.meets_agent()
        await asyncio.sleep(1)
        await ada.room.local_participant.send_text("When are you open?", topic="lk.chat")
        await asyncio.sleep(3)


@healthy()
async def reload(call: Call) -> None:
    """The page is reloaded, and the session goes on."""
    for _ in range(2):
        async with Caller(call) as ada:
            await ada.talks()


@healthy()
async def hold_music(call: Call) -> None:
    """The agent plays music before its session starts."""
    async with Caller(call) as ada:
        await ada.talks(5)


@healthy()
async def hand_off(call: Call) -> None:
    """The session is handed to a second Agent."""
    async with Caller(call) as ada:
        await ada.talks(4)


@healthy()
async def starts_later(call: Call) -> None:
    """The agent connects first, and starts its session later."""
    async with Caller(call) as ada:
        await ada.talks()


@healthy()
async def waits_by_identity(call: Call) -> None:
    """The agent waits for a caller by their identity."""
    async with Caller(call) as ada:
        await ada.talks()


@healthy()
async def sip(call: Call) -> None:
    """The caller comes by telephone."""
    attributes = {"sip.callID": "SCL_1", "sip.phoneNumber": "+15550100", "sip.callStatus": "active"}
    async with Caller(call, "sip_15550100", kind="sip", attributes=attributes) as phone:
        await phone.talks()


@healthy()
async def recorder(call: Call) -> None:
    """A hidden recorder joins, and leaves last."""
    async with Caller(call, "EG_recorder", silent=True, kind="egress", hidden=True, recorder=True, can_publish=False):
        async with Caller(call) as ada:
            await ada.talks()
        await asyncio.sleep(1)


@healthy()
async def deletes_room(call: Call) -> None:
    """The agent shuts down, and deletes the room with a callback."""
    async with Caller(call) as ada:
        await ada.is_hung_up_on()


@healthy()
async def session_deletes_room(call: Call) -> None:
    """The session ends, and deletes the room (delete_room_on_close)."""
    async with Caller(call) as ada:
        await ada.is_hung_up_on()


@healthy()
async def leaves_with_caller(call: Call) -> None:
    """The agent's job ends when the caller leaves."""
    async with Caller(call) as ada:
        await ada.talks()


@healthy(well=EITHER)
async def hands_over(call: Call) -> None:
    """The agent leaves when a person has taken over."""
    async with Caller(call) as ada:
        await ada.talks(2)
        async with Caller(call, "bob") as bob:
            await bob.meets_agent()
            await asyncio.sleep(4)


@healthy(well=EITHER)
async def short(call: Call) -> None:
    """The caller hangs up after two seconds."""
    async with Caller(call):
        await asyncio.sleep(2)


@healthy()
async def attributes(call: Call) -> None:
    """Agent and caller change their attributes and metadata."""
    async with Caller(call, can_update_own_metadata=True) as ada:
        await ada.meets_agent()
        await ada.room.local_participant.set_attributes({"mood": "curious"})
        await ada.talks()


@healthy()
async def reports_after(call: Call) -> None:
    """The agent reports for a second after the call."""
    async with Caller(call) as ada:
        await ada.talks()


@healthy()
async def avatar(call: Call) -> None:
    """An avatar speaks on the agent's behalf."""
    async with Caller(call) as ada:
        await ada.talks()


@healthy()
async def resumes(call: Call) -> None:
    """The caller's signalling is cut, and resumed."""
    async with Caller(call) as ada:
        await ada.talks(2)
        await ada.reconnects(fully=False)
        await asyncio.sleep(2)


@healthy()
async def away(call: Call) -> None:
    """The caller's connection is lost, and made anew."""
    async with Caller(call) as ada:
        await ada.talks(2)
        await ada.reconnects(fully=True)
        await asyncio.sleep(3)


@healthy()
async def camera(call: Call) -> None:
    """The caller has a camera too."""
    async with Caller(call) as ada:
        await ada.shows()
        await ada.talks()


@healthy()
async def unmutes_late(call: Call) -> None:
    """The caller joins without a microphone, and turns it on later."""
    async with Caller(call, silent=True) as ada:
        await ada.meets_agent()
        await asyncio.sleep(2)
        ada.speaks()
        await ada.talks()


@healthy()
async def granted_late(call: Call) -> None:
    """The permission to speak is granted after the join."""
    async with Caller(call, silent=True, can_publish=False) as ada:
        await asyncio.sleep(1)
        granted = ParticipantPermission(can_subscribe=True, can_publish=True, can_publish_data=True)
        await call.livekit.room.update_participant(
            UpdateParticipantRequest(room=call.room, identity="ada", permission=granted)
        )
        await asyncio.sleep(1)
        ada.speaks()
        await ada.talks()


@healthy("named")
async def explicit(call: Call) -> None:
    """CreateDispatch makes the room, and the agent waits."""
    await call.dispatch("helper", metadata='{"ticket": 42}')
    async with Caller(call) as ada:
        await ada.talks()


@healthy("named")
async def dispatched_later(call: Call) -> None:
    """CreateDispatch when the caller has been there for two seconds."""
    async with Caller(call) as ada:
        await asyncio.sleep(2)
        await call.dispatch("helper")
        await ada.talks()


@healthy("named")
async def token(call: Call) -> None:
    """The token names the agent."""
    async with Caller(call, agents=("helper",)) as ada:
        await ada.talks()


@healthy("named")
async def listed(call: Call) -> None:
    """CreateRoom lists the agent."""
    await call.create_room("helper")
    async with Caller(call) as ada:
        await ada.talks()


@healthy("named")
async def two_agents(call: Call) -> None:
    """Two different agents are dispatched on purpose."""
    async with Caller(call, agents=("helper", "second")) as ada:
        await ada.talks(agents=2)


@healthy("participant")
async def job_per_caller(call: Call) -> None:
    """Two callers, each with a job and a session of their own (JT_PARTICIPANT)."""
    async with Caller(call) as ada, Caller(call, "bob") as bob:
        await asyncio.gather(ada.talks(agents=2), bob.talks(agents=2))


@healthy("publisher")
async def job_per_publisher(call: Call) -> None:
    """The agent comes when the caller publishes a track (JT_PUBLISHER)."""
    async with Caller(call, silent=True) as ada:
        await asyncio.sleep(1)
        ada.speaks()
        await ada.talks()


@healthy(MODELS)
async def greets(call: Call) -> None:
    """The agent greets with model and voice."""
    async with Caller(call) as ada:
        await ada.talks(4)


@healthy(MODELS, EITHER)
async def listens(call: Call) -> None:
    """The caller is greeted, listens, and says nothing."""
    async with Caller(call) as ada:
        await ada.talks(14)


@healthy(MODELS, EITHER)
async def stays_muted(call: Call) -> None:
    """The caller is greeted, and stays muted."""
    async with Caller(call) as ada:
        await ada.meets_agent()
        ada.mutes()
        await ada.talks(14)


@healthy(MODELS)
async def converses(call: Call) -> None:
    """The caller asks, and the agent uses a tool and answers."""
    environment = {"LIVEKIT_URL": call.server.url, "CALLER_TOKEN": caller_token(call.server, call.room, "ada")}
    await call.hangs_up(call.stage.start(f"caller-{call.room}", [str(voice.__file__)], **environment), 9)


@healthy("plain", UNKNOWN)
async def uninstrumented(call: Call) -> None:
    """The agent reports nothing."""
    async with Caller(call) as ada:
        await ada.talks()
