"""Where LiveKit says so: pages of its documentation, files of its source, and threads in which people met it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["AGENTS_VERSION", "SERVER_VERSION", "Page", "Source", "agents", "issue", "protocol", "server"]

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


def _docs(title: str, path: str) -> Source:
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


class Page:
    """The pages of LiveKit's documentation that are named."""

    ROOMS = _docs("Room management", "intro/basics/rooms-participants-tracks/rooms")
    PARTICIPANTS = _docs("Participant management", "intro/basics/rooms-participants-tracks/participants")
    TRACKS = _docs("Tracks", "intro/basics/rooms-participants-tracks/tracks")
    WEBHOOKS = _docs("Webhooks & events", "intro/basics/rooms-participants-tracks/webhooks-events")
    ATTRIBUTES = _docs("Participant attributes and metadata", "transport/data/state/participant-attributes")
    TOKENS = _docs("Authentication", "frontends/build/authentication")
    AGENT_STATE = _docs("Agent state", "frontends/build/agent-state")
    DISPATCH = _docs("Agent dispatch", "agents/server/agent-dispatch")
    DISPATCH_API = _docs("AgentDispatchService API", "reference/agents/agent-dispatch-service-api")
    LIFECYCLE = _docs("Server lifecycle", "agents/server/lifecycle")
    JOB = _docs("Job lifecycle", "agents/server/job")
    OPTIONS = _docs("Server options", "agents/server/options")
    SESSIONS = _docs("Agent sessions", "agents/logic/sessions")
    NODES = _docs("Pipeline nodes & hooks", "agents/logic/nodes")
    WORKFLOWS = _docs("Workflows", "agents/logic/workflows")
