"""A Jaeger on loopback, which keeps its traces in memory."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.local_servers.build import build_with_go
from tracer.local_servers.ports import free_ports
from tracer.local_servers.process import Process, answers, child_environment
from tracer.local_servers.program import DOCKER_READS, Program, built, first, in_docker, on_the_path, succeeds

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Jaeger", "find_jaeger", "find_jaeger_with_pages"]

PACKAGE = "github.com/jaegertracing/jaeger/cmd/jaeger"
MODULE_VERSION = "v1.76.0"
"""Of the Go module; the program calls itself 2.13.0."""
NO_PAGES = b"This is a placeholder for the Jaeger UI"
"""In cmd/query/app/ui/placeholder/index.html."""
IMAGE = "jaegertracing/jaeger:2.20.0"


def find_jaeger(progress: Callable[[str], None]) -> Program:
    """On the PATH, Docker's, or built with Go; the latter has the query API and no web pages.

    Raises BinaryMissingError that names all that was tried.
    """

    def build() -> Program:
        path = build_with_go(
            f"jaeger-{MODULE_VERSION}",
            PACKAGE,
            source=Path(__file__).parent / "jaeger_module",
            progress=progress,
        )
        return built(path, f"built with Go from Jaeger's source, {MODULE_VERSION}; it has the API and no web pages")

    return first("Jaeger server", lambda: on_the_path("jaeger"), lambda: in_docker(IMAGE, progress), build)


def find_jaeger_with_pages(progress: Callable[[str], None]) -> Program:
    """On the PATH or Docker's: a build of our own would have no web pages, and one on the PATH may have none.

    Raises BinaryMissingError that names all that was tried.
    """
    return first("Jaeger with web pages", lambda: on_the_path("jaeger"), lambda: in_docker(IMAGE, progress))


class Jaeger(Process):
    """Accepts spans at ``otlp_endpoint`` and returns them at ``query_url``."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program = program
        self.query_port, otlp_port, grpc_port = free_ports(3)
        self.query_url = f"http://127.0.0.1:{self.query_port}"
        self.otlp_endpoint = f"http://127.0.0.1:{otlp_port}"
        self.container = f"livekit-tracer-jaeger-{secrets.token_hex(3)}"
        config = folder / "jaeger.yaml"
        config.write_text(json.dumps(self._configuration(otlp_port, grpc_port), indent=2), encoding="utf-8")
        super().__init__(
            "jaeger",
            program.command(config, self.container),
            folder=folder,
            environment=child_environment(DOCKER_READS if program.image else ()),
        )

    def start(self) -> None:
        """Start it and wait until it answers. Raises DemoError when it does not."""
        super().start()
        try:
            self.wait_until(lambda: answers(self.query_port, "/api/services"))
        except BaseException:
            self.stop()
            raise

    def has_pages(self) -> bool:
        """Whether it has web pages: compiled without them it shows one that says so, at every address."""
        return answers(self.query_port, "/search", lambda page: NO_PAGES not in page)

    def stop(self, limit: float = 8.0) -> None:
        """End it."""
        super().stop(limit)
        if self.program.image:
            succeeds(self.program.path, "rm", "--force", self.container)

    def _configuration(self, otlp_port: int, grpc_port: int) -> dict[str, object]:
        return {
            "service": {
                "extensions": ["jaeger_storage", "jaeger_query"],
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
                "telemetry": {"metrics": {"level": "none"}},
            },
            "extensions": {
                "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": 10_000}}}},
                "jaeger_query": {
                    "storage": {"traces": "memory"},
                    "http": {"endpoint": f"127.0.0.1:{self.query_port}"},
                    "grpc": {"endpoint": f"127.0.0.1:{grpc_port}"},
                },
            },
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{otlp_port}"}}}},
            "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
        }
