"""Makes a recording of `tracer serve --record` one of these: without paths of the machine it was made on, and packed.

python -m tests.calls.clean call.jsonl
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["PRIVATE", "clean", "texts"]

NOWHERE = "/srv/agent/"
"""What stands for every folder."""
PRIVATE = re.compile(
    rf"(?!{NOWHERE})(?:(?<![\w:/.])(?:/[\w.@+-]+)+/(?=[\w@+-]+\.(?:py|so)\b)|/(?:home|root|tmp|Users)/(?:[\w.@+-]+/)*)"
)
"""The folders of a program's file, and those of a user."""
PROTOBUF = "application/x-protobuf"
EMPTIED = ("turnPassword", "turn_password")
"""A secret: the receiver keeps the field without a value, and a recording not even that."""


def clean(line: str) -> str:
    """A line of a recording, with the names of files and without their folders."""
    return _changed(line, lambda text: PRIVATE.sub(NOWHERE, text))


def texts(line: str) -> list[str]:
    """Every text in a line of a recording."""
    found: list[str] = []

    def keep(text: str) -> str:
        found.append(text)
        return text

    _changed(line, keep)
    return found


def _changed(line: str, change: Callable[[str], str]) -> str:
    item = json.loads(line)
    if "traces" not in item:
        item = _in_json(item, change)
    elif item["type"] == PROTOBUF:
        request = ExportTraceServiceRequest.FromString(b64decode(item["traces"]))
        _in_message(request, change)
        item["traces"] = b64encode(request.SerializeToString()).decode()
    else:
        body = _in_json(json.loads(b64decode(item["traces"])), change)
        item["traces"] = b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()
    return json.dumps(item, separators=(",", ":"))


def _in_json(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_in_json(one, change) for one in value]
    if isinstance(value, dict):
        return {key: _in_json(one, change) for key, one in value.items() if key not in EMPTIED}
    return value


def _in_message(message: Any, change: Callable[[str], str]) -> None:
    for field, value in message.ListFields():
        if isinstance(value, str):
            setattr(message, field.name, change(value))
        elif field.message_type is not None:
            for one in value if not hasattr(value, "ListFields") else [value]:
                _in_message(one, change)


def _main(paths: Iterable[str]) -> None:
    for name in paths:
        path = Path(name)
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        target = Path(__file__).parent / f"{path.name.partition('.')[0]}.jsonl.gz"
        lines = "".join(f"{clean(line)}\n" for line in text.splitlines())
        target.write_bytes(gzip.compress(lines.encode(), mtime=0))
        print(target.name)


if __name__ == "__main__":
    _main(sys.argv[1:])
