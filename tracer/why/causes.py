"""Every cause, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.why.disconnected.duplicate_identity import DuplicateIdentity
from tracer.why.disconnected.ghost_room import GhostRoom
from tracer.why.disconnected.process import ProcessKilled
from tracer.why.disconnected.rejoined import RejoinedWithoutAgent
from tracer.why.disconnected.removed import Removed
from tracer.why.disconnected.room_ended import CallerAway, RoomDeleted
from tracer.why.disconnected.shut_down import Deployed, RaisedAfterConnect
from tracer.why.duplicated.dispatched import DefaultAndNamed, DispatchedTwice, TwoJobTypes
from tracer.why.duplicated.earlier_room import AgentOfEarlierRoom
from tracer.why.duplicated.foreign_worker import ForeignWorker
from tracer.why.duplicated.without_job import AgentWithoutJob
from tracer.why.late.server import AskedAgain, SilentCaller, SlowOffer
from tracer.why.late.slow_code import SlowCode
from tracer.why.late.starved import StarvedMachine
from tracer.why.late.stretches import ColdProcess, SlowAnswer, SlowConnect, SlowSession
from tracer.why.late.unexplained import LateUnexplained
from tracer.why.missing.connect import ConnectFailed
from tracer.why.missing.entrypoint import NeverConnected, RaisedBeforeConnect
from tracer.why.missing.named_or_not import RoomExisted, WorkerIsNamed, WorkerIsUnnamed
from tracer.why.missing.no_worker import NoWorker
from tracer.why.missing.process import ProcessFailed
from tracer.why.missing.refused import Rejected, RequestRaised, RequestUnanswered, SlowRequest
from tracer.why.missing.unavailable import LateWorker, WorkerDraining, WorkerNotAsked, WorkersFull
from tracer.why.silent.linked import LinkedToAnother
from tracer.why.silent.peer import PeerNeverActive
from tracer.why.silent.session_closed import SessionClosed
from tracer.why.unrecorded import LostWebhooks

if TYPE_CHECKING:
    from tracer.why.cause import Cause

__all__ = ["CAUSES"]

CAUSES: tuple[Cause, ...] = (
    # missing: the commonest first
    NoWorker(),
    WorkerIsNamed(),
    RoomExisted(),
    WorkerIsUnnamed(),
    LateWorker(),
    WorkersFull(),
    WorkerDraining(),
    SlowRequest(),
    Rejected(),
    RequestRaised(),
    RequestUnanswered(),
    ProcessFailed(),
    RaisedBeforeConnect(),
    NeverConnected(),
    ConnectFailed(),
    WorkerNotAsked(),
    # disconnected: the surest first
    ProcessKilled(),
    RaisedAfterConnect(),
    Deployed(),
    GhostRoom(),
    Removed(),
    RoomDeleted(),
    DuplicateIdentity(),
    RejoinedWithoutAgent(),
    CallerAway(),
    # silent
    SessionClosed(),
    LinkedToAnother(),
    PeerNeverActive(),
    # duplicated
    DispatchedTwice(),
    DefaultAndNamed(),
    TwoJobTypes(),
    AgentOfEarlierRoom(),
    AgentWithoutJob(),
    ForeignWorker(),
    # late: in the order of a job's stages
    AskedAgain(),
    StarvedMachine(),
    ColdProcess(),
    SlowOffer(),
    SlowAnswer(),
    SlowConnect(),
    SlowCode(),
    SlowSession(),
    SilentCaller(),
    LateUnexplained(),
    # unrecorded
    LostWebhooks(),
)
"""Every cause, by symptom; of two that fit equally well, the earlier one is named first."""
