"""LiveKit's messages with the fields of livekit/protocol 1.54.0, whichever livekit-protocol is installed.

A server can be newer than the installed package, which pins of livekit-agents can hold back: so what is missing there
is added here, by the numbers of LiveKit's own definitions (livekit_agent.proto, livekit_agent_dispatch.proto,
livekit_webhook.proto, livekit_models.proto). Webhooks (JSON) and the API's answers (protobuf) are then read in one way.
Where the installed package has a field, its own definition holds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message_factory import GetMessageClass
from livekit.protocol import agent_dispatch, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import FileDescriptor
    from livekit.protocol.agent_dispatch import AgentDispatch
    from livekit.protocol.webhook import WebhookEvent

__all__ = ["DispatchTrigger", "JobStateReason", "JobStatus", "RoomEndReason", "as_dispatch", "webhook_event"]

_INT64, _UINT32 = FieldDescriptorProto.TYPE_INT64, FieldDescriptorProto.TYPE_UINT32
_STRING, _ENUM = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_ENUM
_MESSAGE = FieldDescriptorProto.TYPE_MESSAGE


class _Field(NamedTuple):
    """A field of a message: its number and type; of an enum or a message also which."""

    number: int
    type: FieldDescriptorProto.Type.ValueType
    of: str = ""


_FIELDS: dict[str, dict[str, _Field]] = {
    "Job": {"created_at": _Field(14, _INT64), "thread_id": _Field(15, _STRING)},
    "JobState": {
        "reason": _Field(9, _ENUM, "JobStateReason"),
        "accepted_at": _Field(10, _INT64),
        "assigned_at": _Field(11, _INT64),
        "attempts": _Field(12, _UINT32),
        "first_started_at": _Field(13, _INT64),
        "agent_failed_attempts_ns": _Field(14, _INT64),
        "workers_asked": _Field(15, _UINT32),
    },
    "AgentDispatch": {"thread_id": _Field(9, _STRING)},
    "AgentDispatchState": {"trigger": _Field(4, _ENUM, "AgentDispatchTrigger")},
    "WebhookEvent": {"job": _Field(12, _MESSAGE, "Job"), "room_end_reason": _Field(13, _ENUM, "RoomEndReason")},
}
_ENUMS: dict[str, dict[str, tuple[str, ...]]] = {
    "livekit_agent.proto": {
        "JobStatus": ("JS_PENDING", "JS_RUNNING", "JS_SUCCESS", "JS_FAILED", "JS_CANCELLED"),
        "JobStateReason": (
            "JSR_UNSPECIFIED",
            "JSR_NO_CAPACITY",
            "JSR_ROOM_CLOSED",
            "JSR_DISPATCH_DELETED",
            "JSR_RETRYING",
        ),
    },
    "livekit_agent_dispatch.proto": {
        "AgentDispatchTrigger": ("ADT_UNSPECIFIED", "ADT_JOIN", "ADT_ROOM_API", "ADT_DISPATCH_API")
    },
    "livekit_models.proto": {
        "RoomEndReason": (
            "ROOM_END_UNKNOWN",
            "ROOM_END_API_DELETE",
            "ROOM_END_IDLE_TIMEOUT",
            "ROOM_END_SERVER_SHUTDOWN",
            "ROOM_END_SUPERSEDED",
            "ROOM_END_OPEN_FAILED",
        )
    },
}
"""Enums by the file that defines them: the names of 0, 1, 2, …"""
_NEEDS = {"livekit_webhook.proto": ("livekit_agent.proto",)}
"""Files that a file's added fields need."""


def webhook_event(body: str) -> WebhookEvent:
    """The event in a webhook's body. Raises ParseError.

    What neither the installed package nor this module knows is left out: fields, and values of enums; and a room's
    codecs, a dozen objects that no moment is made of, and which take half of the time.
    """
    event: WebhookEvent = _WebhookEvent()
    try:
        told = json.loads(body)
        for room in _rooms_in(told):
            room.pop("enabledCodecs", None)
            room.pop("enabled_codecs", None)
        ParseDict(told, event, ignore_unknown_fields=True)
    except ParseError:
        raise
    except Exception as error:  # whatever it is that a message's JSON is not
        raise ParseError(f"{type(error).__name__}: {error}") from error
    return event


def _rooms_in(told: Any) -> Iterator[dict[str, Any]]:
    """The rooms in a webhook: its own, and its job's."""
    for about in (told, told.get("job")) if isinstance(told, dict) else ():
        room = about.get("room") if isinstance(about, dict) else None
        if isinstance(room, dict):
            yield room


def as_dispatch(answered: AgentDispatch) -> Any:
    """A dispatch from the API with what the installed package's classes only carry along, its jobs' too."""
    return _AgentDispatch.FromString(answered.SerializeToString())


def _extended(*files: FileDescriptor) -> DescriptorPool:
    """A pool of its own with these files, and what they need, each with what is missing in it."""
    pool, done = DescriptorPool(), set[str]()

    def add(file: FileDescriptor) -> None:
        if file.name in done:
            return
        done.add(file.name)
        for needed in file.dependencies:
            add(needed)
        copy = FileDescriptorProto()
        file.CopyToProto(copy)
        _complete(copy)
        pool.AddSerializedFile(copy.SerializeToString())

    for file in files:
        add(file)
    return pool


def _complete(file: FileDescriptorProto) -> None:
    """Add to a file's own messages and enums what is missing in them."""
    for name, values in _ENUMS.get(file.name, {}).items():
        enum = next((one for one in file.enum_type if one.name == name), None) or file.enum_type.add(name=name)
        known = {value.number for value in enum.value}
        for number, value in enumerate(values):
            if number not in known:
                enum.value.add(name=value, number=number)
    for message in file.message_type:
        known = {field.number for field in message.field}
        for name, (number, kind, of) in _FIELDS.get(message.name, {}).items():
            if number not in known:
                label = FieldDescriptorProto.LABEL_OPTIONAL
                type_name = f".livekit.{of}" if of else None
                message.field.add(name=name, number=number, label=label, type=kind, type_name=type_name)
    needed = _NEEDS.get(file.name, ())
    file.dependency.extend(name for name in needed if name not in file.dependency)


_POOL = _extended(agent_dispatch.DESCRIPTOR, webhook.DESCRIPTOR)
_WebhookEvent: Any = GetMessageClass(_POOL.FindMessageTypeByName("livekit.WebhookEvent"))
_AgentDispatch: Any = GetMessageClass(_POOL.FindMessageTypeByName("livekit.AgentDispatch"))


def _enum(name: str) -> EnumTypeWrapper:
    return EnumTypeWrapper(_POOL.FindEnumTypeByName(f"livekit.{name}"))


JobStatus = _enum("JobStatus")
"""How a job stands."""
JobStateReason = _enum("JobStateReason")
"""Why a job has no agent."""
DispatchTrigger = _enum("AgentDispatchTrigger")
"""What created a dispatch."""
RoomEndReason = _enum("RoomEndReason")
"""Why a room ended."""
