"""Real servers on loopback, for the demo and the tests: get the program, run it, leave nothing behind."""

from __future__ import annotations

from tracer.servers.jaeger import Jaeger, find_jaeger
from tracer.servers.livekit import LiveKitServer, find_livekit_server
from tracer.servers.ports import free_port, free_ports
from tracer.servers.process import Process, answers, child_environment
from tracer.servers.program import Program

__all__ = [
    "Jaeger",
    "LiveKitServer",
    "Process",
    "Program",
    "answers",
    "child_environment",
    "find_jaeger",
    "find_livekit_server",
    "free_port",
    "free_ports",
]
