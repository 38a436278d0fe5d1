from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.unknown_fields import UnknownFieldSet
from livekit.protocol import agent, agent_dispatch, webhook
from livekit.protocol.agent_dispatch import AgentDispatch, AgentDispatchState

from tracer.witness import protocol

if TYPE_CHECKING:
    from types import ModuleType


def varint(number: int, value: int) -> bytes:
    """A field of a message as protobuf writes it: a small number."""
    assert number < 16
    assert value < 128
    return bytes([number << 3, value])


def nested(number: int, message: bytes) -> bytes:
    """A field of a message that is a message."""
    return bytes([number << 3 | 2, len(message)]) + message


def test_what_the_installed_package_carries_along_is_read_by_livekits_own_numbers() -> None:
    state = varint(9, 1) + varint(10, 70) + varint(11, 80) + varint(12, 2) + varint(15, 3)
    job = nested(8, state) + varint(14, 60)
    answered = AgentDispatch(id="AD_1", agent_name="helper", state=AgentDispatchState(created_at=50))
    answered.state.MergeFromString(nested(1, job) + varint(4, 3))
    read = protocol.as_dispatch(answered)
    assert (read.id, read.agent_name, read.state.created_at, read.state.trigger) == ("AD_1", "helper", 50, 3)
    assert protocol.DispatchTrigger.Name(read.state.trigger) == "ADT_DISPATCH_API"
    (one,) = read.state.jobs
    assert one.created_at == 60
    assert (one.state.accepted_at, one.state.assigned_at, one.state.attempts, one.state.workers_asked) == (70, 80, 2, 3)
    assert protocol.JobStateReason.Name(one.state.reason) == "JSR_NO_CAPACITY"
    assert not len(UnknownFieldSet(one)) + len(UnknownFieldSet(one.state)) + len(UnknownFieldSet(read.state))


def test_a_webhook_has_the_same_names_in_either_spelling_of_json() -> None:
    for state in ({"acceptedAt": "70", "workersAsked": 3}, {"accepted_at": 70, "workers_asked": 3}):
        event = protocol.webhook_event(json.dumps({"event": "agent_job_started", "job": {"state": state}}))
        newer = event.job.state
        assert (newer.accepted_at, newer.workers_asked) == (70, 3)  # type: ignore[attr-defined]  # it can be without


@pytest.mark.parametrize(
    "more",
    [
        {"fieldOfTomorrow": {"deep": [1, {"deeper": None}]}},
        {"job": {"state": {"status": "JS_OF_TOMORROW", "reason": "JSR_OF_TOMORROW"}}},
        {"roomEndReason": "ROOM_END_OF_TOMORROW"},
        {"participant": {"kind": "KIND_OF_TOMORROW", "state": "STATE_OF_TOMORROW"}},
        {"room": {"sid": "RM_1", "fieldOfTomorrow": 7}},
    ],
    ids=["field", "job's enums", "event's enum", "participant's enums", "room's field"],
)
def test_what_nobody_knows_yet_is_no_reason_to_refuse_a_webhook(more: dict[str, object]) -> None:
    event = protocol.webhook_event(json.dumps({"event": "room_finished", "id": "EV_1", **more}))
    assert (event.event, event.id) == ("room_finished", "EV_1")


@pytest.mark.parametrize("module", [agent, agent_dispatch, webhook], ids=["agent", "dispatch", "webhook"])
def test_a_package_that_is_older_is_completed_and_one_that_is_newer_is_left_as_it_is(module: ModuleType) -> None:
    def without(kept: FileDescriptorProto) -> FileDescriptorProto:
        for message in kept.message_type:
            added = protocol._FIELDS.get(message.name, {})
            fields = [field for field in message.field if field.name not in added]
            del message.field[:]
            message.field.extend(fields)
        enums = [enum for enum in kept.enum_type if enum.name not in protocol._ENUMS.get(kept.name, {})]
        del kept.enum_type[:]
        kept.enum_type.extend(enums)
        return kept

    newest, oldest = FileDescriptorProto(), FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(newest)
    module.DESCRIPTOR.CopyToProto(oldest)
    protocol._complete(newest)
    protocol._complete(without(oldest))

    def fields(file: FileDescriptorProto) -> set[tuple[str, str, int, int, str]]:
        return {(m.name, f.name, f.number, f.type, f.type_name) for m in file.message_type for f in m.field}

    assert fields(newest) == fields(oldest), "the numbers and types are those of the package, where it has them"
    assert len(fields(newest)) == sum(len(message.field) for message in newest.message_type)
    again = FileDescriptorProto()
    again.CopyFrom(newest)
    protocol._complete(again)
    assert again == newest


@pytest.mark.parametrize("codecs", [[{"mime": "audio/opus"}, {"mime": "video/vp8"}], "not a list", None])
def test_a_rooms_codecs_are_not_read_whatever_they_are(codecs: object) -> None:
    room = {"sid": "RM_1", "name": "demo", "enabledCodecs": codecs}
    event = protocol.webhook_event(json.dumps({"event": "room_started", "room": room, "job": {"room": room}}))
    assert (event.room.sid, event.job.room.name) == ("RM_1", "demo")
    assert not event.room.enabled_codecs
