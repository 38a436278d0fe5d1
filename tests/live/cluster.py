"""LiveKit as a cluster: several servers that know of each other through Redis (Debian's ``redis-server``)."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import socketserver
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tracer.local_servers import LiveKitServer, Process, child_environment, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracer.local_servers.program import Program

LIMIT = 30.0


class Node(LiveKitServer):
    """One server of a cluster."""

    redis = 0
    """The port of its Redis."""

    def _configuration(self, media: int) -> dict[str, object]:
        return super()._configuration(media) | {"redis": {"address": f"127.0.0.1:{self.redis}"}}

    def kill(self) -> None:
        """End it as a machine that loses its power does."""
        assert self.process is not None
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(LIMIT)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


@contextmanager
def cluster(program: Program, folder: Path, webhooks: list[str], nodes: int = 2) -> Iterator[list[Node]]:
    """So many running nodes, with one key pair."""
    redis = shutil.which("redis-server")
    if redis is None:
        why = "redis-server is not here: apt-get install redis-server"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    with ExitStack() as running:
        port = free_port()
        command = [redis, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        server = running.enter_context(Process("redis", command, folder=folder, environment=child_environment()))
        server.wait_until(lambda: listens(port))
        started: list[Node] = []
        for number in range(nodes):
            own = folder / f"node-{number}"
            own.mkdir()
            node = Node(program, folder=own, webhooks=webhooks)
            node.redis = port
            if started:
                node.api_key, node.api_secret = started[0].api_key, started[0].api_secret
            started.append(running.enter_context(node))
        yield started


@contextmanager
def balanced(nodes: list[Node]) -> Iterator[int]:
    """The port of a load balancer before them: each connection goes to the next that answers."""
    turns = itertools.cycle(nodes)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            for _ in nodes:
                with suppress(OSError), socket.create_connection(("127.0.0.1", next(turns).port), timeout=2) as behind:
                    behind.settimeout(None)
                    back = threading.Thread(target=pump, args=(behind, self.request), daemon=True)
                    back.start()
                    pump(self.request, behind)
                    back.join()
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes, until it ends."""
    with suppress(OSError):
        while part := source.recv(65_536):
            sink.sendall(part)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
