from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given

from tests.moments import ABOUT_ADA, ADA, any_moment, moment, ms
from tracer import keys
from tracer.moment import Kind, Moment, facts

SCHEMA = [
    "room.created",
    "room.finished",
    "participant.joining",
    "participant.joined",
    "participant.active",
    "participant.left",
    "participant.aborted",
    "track.published",
    "track.unpublished",
    "dispatch.created",
    "job.offered",
    "job.received",
    "job.accepted",
    "job.rejected",
    "job.timed_out",
    "job.assigned",
    "job.process_assigned",
    "job.entrypoint_started",
    "job.entrypoint_returned",
    "job.shutdown",
    "job.ended",
    "agent.connecting",
    "agent.connected",
    "agent.disconnected",
    "agent.waiting_for_participant",
    "agent.participant_ready",
    "session.starting",
    "session.started",
    "session.closed",
    "worker.registered",
    "worker.full",
    "worker.available",
    "worker.draining",
]
BEYOND = [
    "agent.blocked",
    "agent.connection_lost",
    "agent.deleting_room",
    "agent.interrupted",
    "agent.media_back",
    "agent.media_stopped",
    "agent.reconnected",
    "agent.reconnecting",
    "agent.removing_participant",
    "agent.speaking",
    "agent.speaks_silence",
    "agent.stalled",
    "agent.task_raised",
    "agent.wait_ended",
    "job.created",
    "job.spans_reported",
    "model.answered",
    "model.asked",
    "model.failed",
    "model.gave_no_answer",
    "agent.code_began",
    "agent.code_returned",
    "participant.attributes_changed",
    "participant.permissions_changed",
    "process.failed",
    "process.ready",
    "process.started",
    "session.agent_changed",
    "session.audio_failed",
    "session.audio_input_off",
    "session.audio_input_on",
    "session.audio_output_off",
    "session.audio_output_on",
    "session.audio_published",
    "session.audio_received",
    "session.caller_spoke",
    "session.linked",
    "session.task_ended",
    "session.track_subscribed",
    "session.turn_transcribed",
    "session.unlinked",
    "session.waiting_for_audio",
    "track.muted",
    "track.silent",
    "track.sounds",
    "track.subscribed",
    "track.unmuted",
    "track.unnoticed",
    "track.unsubscribed",
    "worker.closed",
    "worker.disconnected",
    "worker.load",
    "worker.offered",
]
"""Kinds that the schema's first list did not have."""


def test_kinds_are_those_of_the_schema() -> None:
    assert sorted(Kind) == sorted(SCHEMA + BEYOND)


def test_facts_of_unknown_value_are_left_out_and_empty_ones_are_kept() -> None:
    assert facts({"b": "", "a": 0, "c": None}) == (("a", 0), ("b", ""))


def test_facts_do_not_depend_on_the_order_they_were_told_in() -> None:
    assert facts({"a": 1, "b": 2}) == facts({"b": 2, "a": 1})


def test_moments_that_say_the_same_are_one() -> None:
    def told() -> Moment:
        return moment(Kind.PARTICIPANT_JOINING, ADA, ms(2), ms(3), told=dict(ABOUT_ADA))

    assert len({told(), told()}) == 1


def test_a_moment_cannot_be_changed() -> None:
    told = moment(Kind.PARTICIPANT_JOINING, ADA, ms(2))
    with pytest.raises(FrozenInstanceError):
        told.time = 0  # type: ignore[misc]


def test_redaction_takes_personal_facts_and_nothing_else() -> None:
    told = moment(Kind.PARTICIPANT_JOINING, ADA, ms(2), ms(3), told=ABOUT_ADA)
    redacted = told.redacted()
    assert redacted.facts == ((keys.PARTICIPANT_KIND, "STANDARD"),)
    assert (redacted.subject, redacted.time, redacted.width) == (told.subject, told.time, told.width)


@given(any_moment())
def test_a_row_is_read_back_as_the_same_moment(told: Moment) -> None:
    again = Moment.from_row(told.row())
    assert again == told
    assert repr(again) == repr(told)  # 2 and 2.0 are equal, and not the same
