"""Run by test_receiver in a process of its own: sends a receiver a small body that unpacks to a gigabyte.

Prints the answers' statuses and by how many MB the process grew at its largest.
"""

from __future__ import annotations

import asyncio
import resource
import struct
import sys
import zlib
from pathlib import Path

from tests.receiving import receiving
from tests.signed import token

MIB = bytes(1024 * 1024)


def bomb() -> bytes:
    """A gigabyte of zeros as gzip, without packing it all: the same block again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(1024):
        checksum = zlib.crc32(MIB, checksum)
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return head + first + 1023 * block + packer.flush() + struct.pack("<II", checksum, 1024 * len(MIB))


def largest() -> int:
    """MB this process has taken at its largest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def main(path: Path) -> None:
    body = bomb()
    async with receiving(path) as client:
        headers = {"Content_Encoding": "gzip", "Content_Type": "application/x-protobuf", "Authorization": token(body)}
        await client.post("/v1/traces", b"", Content_Type="application/x-protobuf")
        before = largest()
        answers = [(await client.post(address, body, **headers))[0] for address in ("/v1/traces", "/webhook") * 2]
        print(*answers, largest() - before)


asyncio.run(main(Path(sys.argv[1])))
