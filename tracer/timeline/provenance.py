"""The values that are inferred of a room: what made it and its dispatches, and what ended it."""

from __future__ import annotations

from tracer.labelled import Labelled

__all__ = ["CreatedBy", "EndReason", "Mode"]


class CreatedBy(Labelled):
    """What made a room."""

    PARTICIPANT = "participant", "a participant's join"
    """The first join of a room that does not exist makes it."""
    API = "api", "an API call"
    """CreateRoom, CreateDispatch, or what SIP and ingress call."""


class Mode(Labelled):
    """How a dispatch came about."""

    AUTOMATIC = "automatic", "automatic"
    """The unnamed one of a room that names no agents."""
    EXPLICIT = "explicit", "explicit"
    """CreateDispatch."""
    TOKEN = "token", "token"
    """The agents named in the token of who made the room."""
    ROOM = "room", "room"
    """The agents named in CreateRoom."""


class EndReason(Labelled):
    """Why a room ended, where it can be inferred. A server that reports its reason may have others."""

    DELETED = "deleted", "deleted"
    """DeleteRoom."""
    DEPARTURE_TIMEOUT = "departure_timeout", "departure timeout"
    """Nobody but agents and recorders was in it for ``departure_timeout`` after the last leave."""
    EMPTY_TIMEOUT = "empty_timeout", "empty timeout"
    """Nobody but agents and recorders joined it for ``empty_timeout``."""
    IDLE_TIMEOUT = "idle_timeout", "idle timeout"
    """One of these two timeouts, as servers from 1.13.7 report it."""
