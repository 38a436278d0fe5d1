"""Real servers on loopback, for the demo and the tests: get the program, run it, leave nothing behind."""

from __future__ import annotations

from tracer.local_servers.jaeger import Jaeger, find_jaeger, find_jaeger_with_pages
from tracer.local_servers.livekit import LiveKitServer, find_livekit_server
from tracer.local_servers.ports import free_port, free_ports
from tracer.local_servers.process import Process, answers, child_environment
from tracer.local_servers.program import Program

__all__ = [
    "Jaeger",
    "LiveKitServer",
    "Process",
    "Program",
    "answers",
    "child_environment",
    "find_jaeger",
    "find_jaeger_with_pages",
    "find_livekit_server",
    "free_port",
    "free_ports",
]
