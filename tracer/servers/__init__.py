"""Real servers on loopback, for the demo and the tests: get the program, run it, leave nothing behind."""

from __future__ import annotations

from tracer.servers.livekit import LiveKitProgram, LiveKitServer, find_livekit_server
from tracer.servers.ports import free_port, free_ports
from tracer.servers.process import Process, answers, child_environment

__all__ = [
    "LiveKitProgram",
    "LiveKitServer",
    "Process",
    "answers",
    "child_environment",
    "find_livekit_server",
    "free_port",
    "free_ports",
]
