"""A server on loopback whose answers do not end."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = bytes(1024 * 1024)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/protobuf\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@contextmanager
def endless(
    head: bytes = b"\r\n", block: bytes = MIB, pause: float = 0.0, *, status: bytes = HEAD
) -> Iterator[tuple[str, list[int]]]:
    """Its address, and how many bytes it sent on each connection. It sends ``block`` again and again."""
    sent: list[int] = []
    over = threading.Event()

    def answer(connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(status + head)
            while not over.wait(pause):
                connection.sendall(block)
                sent[number] += len(block)

    def listen(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connection.settimeout(60)
                sent.append(0)
                threading.Thread(target=answer, args=(connection, len(sent) - 1), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=listen, args=(listening,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", sent
        finally:
            over.set()
