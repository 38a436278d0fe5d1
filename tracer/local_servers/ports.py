"""Free ports."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress

__all__ = ["free_port", "free_ports"]


def free_port() -> int:
    """One port that is free for TCP and for UDP, on every address of this machine."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many different ports. Another program can still take one first: whoever starts a server tries again."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            tcp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            tcp.bind(("", 0))  # bound and not listening: nothing can connect to it
            udp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            with suppress(OSError):
                udp.bind(("", tcp.getsockname()[1]))
                found.append(tcp.getsockname()[1])
    return found
