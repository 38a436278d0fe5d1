"""What LiveKit sends that this version does not know: fields, and values of enums, of servers that are newer.

They are left out where a message is read; their names are kept, so that it can be said what a timeline is made without.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["unknown_in_json", "unknown_in_message"]

MOST_NAMES = 32
"""Names that are taken of one message."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
"""What a field or a value can be called: nothing else is kept of what came."""


def unknown_in_json(body: bytes, read: Message) -> tuple[str, ...]:
    """The names in a body in JSON, given what was read of it, each once and in order: ``JobState.newField``."""
    return _some(_in_object(json.loads(body), read.DESCRIPTOR))


def unknown_in_message(message: Message) -> tuple[str, ...]:
    """The same of a message in protobuf, which has no names for what is unknown: ``JobState.16``."""
    return _some(_in_message(message))


def _some(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names))[:MOST_NAMES])


def _in_object(told: Any, known: Any) -> Iterator[str]:
    """The names in an object, given the descriptor of its message, for which protobuf has several classes."""
    if not isinstance(told, dict) or known.file.package.startswith("google."):  # those have a JSON of their own
        return
    fields = _fields_of(known)
    for name, value in told.items():
        field = fields.get(name)
        if field is None:
            if _NAME.fullmatch(name):
                yield f"{known.name}.{name}"
        elif not _is_map(field):
            for one in value if isinstance(value, list) else [value]:
                if field.message_type is not None:
                    yield from _in_object(one, field.message_type)
                elif field.enum_type is not None:
                    yield from _in_enum(one, field.enum_type)


@cache  # a webhook has twenty objects, and there are as many kinds of them
def _fields_of(known: Any) -> dict[str, Any]:
    """A message's fields, by either name that they have in JSON."""
    return {name: field for field in known.fields for name in (field.name, field.json_name)}


def _in_enum(value: Any, known: Any) -> Iterator[str]:
    values = known.values_by_number if isinstance(value, int) else known.values_by_name
    if isinstance(value, int | str) and value not in values and re.fullmatch(r"-?\w{1,64}", str(value), re.ASCII):
        yield f"{known.name}.{value}"


def _in_message(message: Message) -> Iterator[str]:
    unknown = UnknownFieldSet(message)
    for number in range(len(unknown)):
        yield f"{message.DESCRIPTOR.name}.{unknown[number].field_number}"
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in () if _is_map(field) else [value] if isinstance(value, Message) else value:
                yield from _in_message(one)
        elif field.enum_type is not None:
            for one in [value] if isinstance(value, int) else value:
                yield from _in_enum(one, field.enum_type)


@cache
def _is_map(field: Any) -> bool:
    """Whether its keys are the user's own, as in attributes."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)
