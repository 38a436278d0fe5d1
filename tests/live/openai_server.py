"""As much of OpenAI's API as a voice agent uses, on loopback: it hears one sentence, and answers what it was made to.

Chat completions are streamed as server-sent events, and so is speech; a transcription comes in one piece.
"""

from __future__ import annotations

import asyncio
import io
import json
import math
import threading
from array import array
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Self

import av
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = 24_000


def tone(seconds: float) -> bytes:
    """A quiet tone as MP3, which is what the plugin asks for."""
    wave = array("h", [int(2000 * math.sin(i * 440 * 2 * math.pi / RATE)) for i in range(int(seconds * RATE))])
    written = io.BytesIO()
    with av.open(written, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=RATE, layout="mono")
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE, frame_size=stream.frame_size or 1152)
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(wave))
        frame.planes[0].update(wave.tobytes())
        frame.sample_rate = RATE
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return written.getvalue()


class OpenAIServer:
    """Answers on a thread of its own, and keeps what it was asked.

    To a caller's first sentence the model calls ``tool`` with ``arguments``; then, as to everything else, it says
    something.
    """

    HEARD = "When are you open on Monday?"
    SAID = "Hello! "

    def __init__(self, tool: str, arguments: dict[str, str]) -> None:
        self.tool = tool
        self.arguments = arguments
        self.chats: list[dict[str, Any]] = []
        """Bodies of requests for a chat completion."""
        self.heard: list[int] = []
        """Bytes of each recording that was to be transcribed."""
        self.spoken: list[str] = []
        """Texts that were to be spoken."""
        self.keys: set[str] = set()
        """What came as Authorization."""
        self._voice = tone(0.4)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._runner: web.AppRunner | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> str:
        app = web.Application(middlewares=[self._note_the_key])
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/audio/transcriptions", self._transcribe)
        app.router.add_post("/v1/audio/speech", self._speak)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    @web.middleware
    async def _note_the_key(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.keys.add(request.headers.get("Authorization", ""))
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": []})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.chats.append(asked)
        roles = [message["role"] for message in asked["messages"]]
        wants_tool = "user" in roles and "tool" not in roles
        return await self._events(request, (self._tool_call() if wants_tool else self._words()))

    def _words(self) -> Iterator[dict[str, Any]]:
        for word in (self.SAID, "We are open ", "from nine to six."):
            yield _chunk({"role": "assistant", "content": word})
        yield _chunk({}, "stop")

    def _tool_call(self) -> Iterator[dict[str, Any]]:
        arguments = json.dumps(self.arguments)
        function = {"name": self.tool, "arguments": ""}
        yield _chunk({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]})
        for part in (arguments[:4], arguments[4:]):
            yield _chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
        yield _chunk({}, "tool_calls")

    async def _transcribe(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        self.heard.append(len(file.file.read()))
        return web.json_response({"text": self.HEARD, "usage": {"type": "duration", "seconds": 1}})

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        self.spoken.append((await request.json())["input"])
        half = len(self._voice) // 2
        parts = (self._voice[:half], self._voice[half:])
        events = [{"type": "speech.audio.delta", "audio": b64encode(part).decode()} for part in parts]
        usage = {"input_tokens": 5, "output_tokens": 10, "total_tokens": 15}
        return await self._events(request, iter([*events, {"type": "speech.audio.done", "usage": usage}]))

    @staticmethod
    async def _events(request: web.Request, events: Iterator[dict[str, Any]]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "x-request-id": "req_1"})
        await response.prepare(request)
        for event in events:
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "local",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
