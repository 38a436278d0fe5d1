"""Every cause, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.why.disconnected.agent_deleted_room import AgentDeletedRoom
from tracer.why.disconnected.agent_left_caller import AgentLeftCaller
from tracer.why.disconnected.agent_retried import AgentRetried
from tracer.why.disconnected.dispatch_deleted import DispatchDeleted
from tracer.why.disconnected.duplicate_identity import DuplicateIdentity
from tracer.why.disconnected.ghost_room import GhostRoom
from tracer.why.disconnected.identity_reused import AgentIdentityReused
from tracer.why.disconnected.lost_connection import AgentLostConnection
from tracer.why.disconnected.process import ProcessKilled
from tracer.why.disconnected.rejoined import RejoinedWithoutAgent
from tracer.why.disconnected.removed import Removed
from tracer.why.disconnected.room_ended import CallerAway, RoomDeleted
from tracer.why.disconnected.server_lost import ServerLost
from tracer.why.disconnected.server_restarted import ServerRestarted
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
from tracer.why.missing.did_not_answer import WorkerDidNotAnswer
from tracer.why.missing.entrypoint import NeverConnected, RaisedBeforeConnect
from tracer.why.missing.named_or_not import RoomExisted, WorkerIsNamed, WorkerIsUnnamed
from tracer.why.missing.no_worker import NoWorker
from tracer.why.missing.not_asked import LoadAboveLimit, OtherDeployment, WorkerNotAsked
from tracer.why.missing.overbooked import WorkerOverbooked
from tracer.why.missing.process import ProcessFailed
from tracer.why.missing.refused import LoadFncRaised, Rejected, RequestRaised, RequestUnanswered, SlowRequest
from tracer.why.missing.room_expired import RoomExpired
from tracer.why.missing.unavailable import LateWorker, WorkerDraining, WorkersFull
from tracer.why.missing.worker_disconnected import WorkerDisconnected
from tracer.why.silent.agent_hidden import AgentHidden
from tracer.why.silent.agent_muted import AgentMuted
from tracer.why.silent.blocked import EventLoopBlocked
from tracer.why.silent.caller_hidden import CallerHidden
from tracer.why.silent.caller_not_heard import CallerNotHeard
from tracer.why.silent.encryption import EncryptionDiffers
from tracer.why.silent.job_ended import JobEndedInCall
from tracer.why.silent.linked import LinkedToAnother, LinkedToNobody
from tracer.why.silent.missing_permission import MissingPermission
from tracer.why.silent.model_failed import ModelFailed
from tracer.why.silent.model_silent import ModelSilent
from tracer.why.silent.no_session import NoSession
from tracer.why.silent.no_voice import AgentHasNoVoice
from tracer.why.silent.on_enter import OnEnterRaised, OnTurnRaised
from tracer.why.silent.own_code import OwnCodeHangs
from tracer.why.silent.own_task import OwnTaskRaised
from tracer.why.silent.peer import PeerNeverActive
from tracer.why.silent.permission_taken import PermissionTakenAway
from tracer.why.silent.session_closed import SessionClosed
from tracer.why.silent.speaks_silence import AgentSpeaksSilence
from tracer.why.silent.task_ended import SessionTaskEnded
from tracer.why.silent.unsubscribed import AgentUnsubscribed
from tracer.why.silent.waited import WaitedForAnother
from tracer.why.silent.while_ringing import SpokeWhileRinging
from tracer.why.unrecorded.killed_in_shutdown import KilledInShutdown
from tracer.why.unrecorded.lost_webhooks import LostWebhooks

if TYPE_CHECKING:
    from tracer.why.cause import Cause

__all__ = ["CAUSES"]

CAUSES: tuple[Cause, ...] = (
    # missing: the commonest first
    NoWorker(),
    RoomExpired(),
    WorkerIsNamed(),
    RoomExisted(),
    WorkerIsUnnamed(),
    LateWorker(),
    WorkerDisconnected(),
    WorkersFull(),
    WorkerOverbooked(),
    LoadAboveLimit(),
    WorkerDraining(),
    SlowRequest(),
    WorkerDidNotAnswer(),
    Rejected(),
    RequestRaised(),
    LoadFncRaised(),
    RequestUnanswered(),
    ProcessFailed(),
    RaisedBeforeConnect(),
    NeverConnected(),
    ConnectFailed(),
    OtherDeployment(),
    WorkerNotAsked(),
    # disconnected: the surest first
    ServerRestarted(),
    ServerLost(),
    ProcessKilled(),
    AgentLostConnection(),
    RaisedAfterConnect(),
    Deployed(),
    GhostRoom(),
    Removed(),
    AgentDeletedRoom(),
    RoomDeleted(),
    AgentIdentityReused(),
    AgentRetried(),
    DuplicateIdentity(),
    RejoinedWithoutAgent(),
    DispatchDeleted(),
    AgentLeftCaller(),
    CallerAway(),
    # silent
    JobEndedInCall(),
    ModelFailed(),
    OnEnterRaised(),
    OnTurnRaised(),
    SessionTaskEnded(),
    OwnTaskRaised(),
    SessionClosed(),
    MissingPermission(),
    PermissionTakenAway(),
    AgentHidden(),
    CallerHidden(),
    CallerNotHeard(),
    EncryptionDiffers(),
    AgentUnsubscribed(),
    AgentHasNoVoice(),
    AgentMuted(),
    SpokeWhileRinging(),
    AgentSpeaksSilence(),
    WaitedForAnother(),
    NoSession(),
    EventLoopBlocked(),
    ModelSilent(),
    OwnCodeHangs(),
    LinkedToAnother(),
    LinkedToNobody(),
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
    KilledInShutdown(),
    LostWebhooks(),
)
"""Every cause, by symptom; of two that fit equally well, the earlier one is named first."""
