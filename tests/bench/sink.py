"""An OpenTelemetry backend that takes spans and counts them, in a process of its own."""

from __future__ import annotations

import asyncio
import gzip
import multiprocessing
from typing import TYPE_CHECKING

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracer.local_servers import answers, free_port

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized
    from typing import Self

__all__ = ["Sink"]

LARGEST = 64 * 1024 * 1024


class Sink:
    """Use it as a context manager."""

    def __init__(self) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        context = multiprocessing.get_context("spawn")
        self._spans: Synchronized[int] = context.Value("q", 0)
        self._process = context.Process(target=_serve, args=(self.port, self._spans), daemon=True)

    @property
    def spans(self) -> int:
        """How many came."""
        return self._spans.value

    def __enter__(self) -> Self:
        self._process.start()
        while not answers(self.port, "/"):
            if not self._process.is_alive():
                raise RuntimeError("the backend did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def _serve(port: int, spans: Synchronized[int]) -> None:
    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        read = ExportTraceServiceRequest.FromString(body)
        spans.value += sum(len(scope.spans) for group in read.resource_spans for scope in group.scope_spans)
        return web.Response(content_type="application/x-protobuf")

    async def run() -> None:
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post("/v1/traces", take)
        app.router.add_get("/", lambda _: asyncio.sleep(0, web.Response()))
        runner = web.AppRunner(app, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()

    asyncio.run(run())
