"""Calls with a problem, one a file: each cause made for real, in the order of what people notice."""

from __future__ import annotations

from tracer.demo.failures.agent_cut_off import AgentCutOff
from tracer.demo.failures.agent_deleted_room import AgentDeletedRoom
from tracer.demo.failures.agent_has_no_voice import AgentHasNoVoice
from tracer.demo.failures.agent_hidden import AgentHidden
from tracer.demo.failures.agent_left_caller import AgentLeftCaller
from tracer.demo.failures.agent_muted import AgentMuted
from tracer.demo.failures.agent_speaks_silence import AgentSpeaksSilence
from tracer.demo.failures.agent_unsubscribed import AgentUnsubscribed
from tracer.demo.failures.asked_again import AskedAgain
from tracer.demo.failures.backend_unsubscribes import BackendUnsubscribes
from tracer.demo.failures.burst import Burst
from tracer.demo.failures.busy_machine import BusyMachine
from tracer.demo.failures.caller_away import CallerAway
from tracer.demo.failures.caller_hidden import CallerHidden
from tracer.demo.failures.caller_not_heard import CallerNotHeard
from tracer.demo.failures.caller_removed import CallerRemoved
from tracer.demo.failures.cold_process import ColdProcess
from tracer.demo.failures.connect_failed import ConnectFails
from tracer.demo.failures.connects_twice import ConnectsTwice
from tracer.demo.failures.default_and_named import DefaultAndNamed
from tracer.demo.failures.deleted import Deleted
from tracer.demo.failures.deploy import Deploy
from tracer.demo.failures.dispatch_deleted import DispatchDeleted
from tracer.demo.failures.draining_worker import DrainingWorker
from tracer.demo.failures.duplicate_identity import DuplicateIdentity
from tracer.demo.failures.earlier_room import EarlierRoom
from tracer.demo.failures.encryption_differs import EncryptionDiffers
from tracer.demo.failures.event_loop_blocked import EventLoopBlocked
from tracer.demo.failures.exits_in_call import ExitsInCall
from tracer.demo.failures.frozen_worker import FrozenWorker
from tracer.demo.failures.full_worker import FullWorker
from tracer.demo.failures.ghost_room import GhostRoom
from tracer.demo.failures.hangs_before_connect import HangsBeforeConnect
from tracer.demo.failures.host_gone import HostGone
from tracer.demo.failures.killed import Killed
from tracer.demo.failures.killed_worker import KilledWorker
from tracer.demo.failures.late_stranger import LateStranger
from tracer.demo.failures.late_worker import LateWorker
from tracer.demo.failures.linked_to_another import LinkedToAnother
from tracer.demo.failures.linked_to_nobody import LinkedToNobody
from tracer.demo.failures.lost_webhooks import LostWebhooks
from tracer.demo.failures.missing_permission import MissingPermission
from tracer.demo.failures.model_failed import ModelFailed
from tracer.demo.failures.model_silent import ModelSilent
from tracer.demo.failures.named_worker import NamedWorker
from tracer.demo.failures.never_connects import NeverConnects
from tracer.demo.failures.no_answer import NoAnswer
from tracer.demo.failures.no_session import NoSession
from tracer.demo.failures.no_worker import NoWorker
from tracer.demo.failures.on_enter_raised import OnEnterRaised
from tracer.demo.failures.one_identity import OneIdentity
from tracer.demo.failures.other_deployment import OtherDeployment
from tracer.demo.failures.out_of_memory import OutOfMemory
from tracer.demo.failures.own_code_hangs import OwnCodeHangs
from tracer.demo.failures.own_task_raised import OwnTaskRaised
from tracer.demo.failures.peer_never_active import PeerNeverActive
from tracer.demo.failures.permission_taken_away import PermissionTakenAway
from tracer.demo.failures.prewarm_failure import PrewarmFailure
from tracer.demo.failures.raise_after_connect import RaiseAfterConnect
from tracer.demo.failures.raise_before_connect import RaiseBeforeConnect
from tracer.demo.failures.raise_in_load import RaiseInLoad
from tracer.demo.failures.raise_in_request import RaiseInRequest
from tracer.demo.failures.reject import Reject
from tracer.demo.failures.rejoin import Rejoin
from tracer.demo.failures.reload import Reload
from tracer.demo.failures.removed import Removed
from tracer.demo.failures.room_expired import RoomExpired
from tracer.demo.failures.session_closed import SessionClosed
from tracer.demo.failures.session_task_ended import SessionTaskEnded
from tracer.demo.failures.slow_answer import SlowAnswer
from tracer.demo.failures.slow_code import SlowCode
from tracer.demo.failures.slow_connect import SlowConnect
from tracer.demo.failures.slow_offer import SlowOffer
from tracer.demo.failures.slow_request import SlowRequest
from tracer.demo.failures.slow_session import SlowSession
from tracer.demo.failures.slow_shutdown import SlowShutdown
from tracer.demo.failures.spoke_while_ringing import SpokeWhileRinging
from tracer.demo.failures.stranger import Stranger
from tracer.demo.failures.token_existing_room import TokenExistingRoom
from tracer.demo.failures.two_dispatches import TwoDispatches
from tracer.demo.failures.two_job_types import TwoJobTypes
from tracer.demo.failures.unnamed_worker import UnnamedWorker
from tracer.demo.failures.waited_for_another import WaitedForAnother
from tracer.demo.failures.worker_cut_off import WorkerCutOff
from tracer.demo.failures.wrong_name import WrongName

__all__ = ["FAILURES"]

FAILURES = {
    scenario.name: scenario
    for scenario in (
        WrongName(),
        NoWorker(),
        RoomExpired(),
        NamedWorker(),
        TokenExistingRoom(),
        UnnamedWorker(),
        LateWorker(),
        DrainingWorker(),
        KilledWorker(),
        WorkerCutOff(),
        FrozenWorker(),
        OtherDeployment(),
        SlowRequest(),
        FullWorker(),
        Burst(),
        BusyMachine(),
        Reject(),
        RaiseInRequest(),
        RaiseInLoad(),
        NoAnswer(),
        PrewarmFailure(),
        RaiseBeforeConnect(),
        NeverConnects(),
        HangsBeforeConnect(),
        ConnectFails(),
        AskedAgain(),
        ColdProcess(),
        SlowAnswer(),
        SlowOffer(),
        SlowConnect(),
        SlowCode(),
        SlowSession(),
        LateStranger(),
        TwoDispatches(),
        DefaultAndNamed(),
        TwoJobTypes(),
        EarlierRoom(),
        Stranger(),
        SessionClosed(),
        Reload(),
        NoSession(),
        ModelFailed(),
        ModelSilent(),
        OwnCodeHangs(),
        OnEnterRaised(),
        SessionTaskEnded(),
        OwnTaskRaised(),
        EventLoopBlocked(),
        ExitsInCall(),
        MissingPermission(),
        PermissionTakenAway(),
        AgentHidden(),
        CallerHidden(),
        CallerNotHeard(),
        AgentUnsubscribed(),
        EncryptionDiffers(),
        BackendUnsubscribes(),
        AgentHasNoVoice(),
        AgentMuted(),
        SpokeWhileRinging(),
        AgentSpeaksSilence(),
        WaitedForAnother(),
        LinkedToAnother(),
        LinkedToNobody(),
        PeerNeverActive(),
        RaiseAfterConnect(),
        Killed(),
        OutOfMemory(),
        HostGone(),
        AgentCutOff(),
        ConnectsTwice(),
        Deploy(),
        CallerAway(),
        DispatchDeleted(),
        AgentLeftCaller(),
        Rejoin(),
        Removed(),
        CallerRemoved(),
        AgentDeletedRoom(),
        Deleted(),
        GhostRoom(),
        LostWebhooks(),
        DuplicateIdentity(),
        OneIdentity(),
        SlowShutdown(),
    )
}
"""By name."""
