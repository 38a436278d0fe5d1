"""Where LiveKit says so: pages of its documentation, files of its source, and threads in which people met it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["AGENTS_VERSION", "SERVER_VERSION", "Source", "agents", "docs", "issue", "protocol", "server"]

SERVER_VERSION = "1.13.5"
"""Of livekit-server, whose files are named."""
AGENTS_VERSION = "1.8.9"
"""Of livekit-agents, whose files are named."""


class Source(NamedTuple):
    """One place where LiveKit says something."""

    text: str
    """For people: ``livekit-server 1.13.5, pkg/rtc/room.go``."""
    url: str = ""
    """Where it can be read; empty for a file of an installed package."""


def docs(title: str, path: str) -> Source:
    """A page of LiveKit's documentation."""
    return Source(f"LiveKit docs, {title}", f"https://docs.livekit.io/{path}/")


def server(path: str) -> Source:
    """A file of livekit-server."""
    return Source(
        f"livekit-server {SERVER_VERSION}, {path}", f"https://github.com/livekit/livekit/blob/v{SERVER_VERSION}/{path}"
    )


def agents(path: str) -> Source:
    """A file of livekit-agents, below ``livekit/agents``."""
    return Source(f"livekit-agents {AGENTS_VERSION}, livekit/agents/{path}")


def protocol(path: str) -> Source:
    """A file of livekit/protocol: the messages, and how webhooks are sent."""
    return Source(f"livekit/protocol, {path}", f"https://github.com/livekit/protocol/blob/main/{path}")


def issue(repository: str, number: int) -> Source:
    """A thread in which people met it, in a repository of LiveKit's."""
    return Source(f"livekit/{repository} #{number}", f"https://github.com/livekit/{repository}/issues/{number}")
