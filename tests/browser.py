"""A real Chromium, driven over its DevTools protocol: https://chromedevtools.github.io/devtools-protocol/."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.receiving import LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""Where it is; None where none is installed."""


class NavigatedError(AssertionError):
    """What was asked of a page was not answered: it is another page by now."""


class Tab:
    """One tab of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.asked: list[str] = []
        """Addresses that the page asked for."""
        self.complaints: list[str] = []
        """What the browser logged: violations of the policy, errors, and what the page's code raised."""

    async def listen(self) -> None:
        """Until the browser ends."""
        async for message in self._socket:
            told = message.json()
            if answer := self._answers.pop(told.get("id", 0), None):
                if not answer.done():  # nobody may wait for it any more
                    answer.set_result(told)
            elif told.get("method") == "Network.requestWillBeSent":
                self.asked.append(told["params"]["request"]["url"])
            elif told.get("method") == "Log.entryAdded":
                self.complaints.append(told["params"]["entry"]["text"])
            elif told.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(str(told["params"]["exceptionDetails"].get("exception", {}).get("description")))

    async def send(self, method: str, **values: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": values})
        told = await asyncio.wait_for(answer, LIMIT)
        if "navigated" in told.get("error", {}).get("message", ""):
            raise NavigatedError(method)
        assert "error" not in told, (method, told["error"])
        result: dict[str, Any] = told["result"]
        return result

    async def run(self, script: str) -> Any:
        """The value of a JavaScript expression; of a promise, what it resolves to."""
        told = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def until(self, script: str) -> Any:
        """The value of an expression, when it is true, in the page that is there by then."""
        async with asyncio.timeout(LIMIT):
            while True:
                with suppress(NavigatedError):
                    if value := await self.run(script):
                        return value
                await asyncio.sleep(0.01)

    async def open(self, address: str, *, width: int = 1400, height: int = 900, dark: bool = False) -> None:
        """Open an address in a window of this size."""
        is_phone = width < 600
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=is_phone
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])
        await self.send("Page.navigate", url=address)

    async def press(self, key: str) -> None:
        """Press a key and let it go."""
        text = {"text": key} if len(key) == 1 else {}
        for what in ("keyDown", "keyUp"):
            await self.send(
                "Input.dispatchKeyEvent", type=what, key=key, code=key, **(text if what == "keyDown" else {})
            )

    async def picture(self) -> bytes:
        """What is seen, as PNG."""
        told = await self.send("Page.captureScreenshot", format="png")
        return base64.b64decode(told["data"])


@asynccontextmanager
async def chromium() -> AsyncIterator[Tab]:
    """A tab of a browser of its own, which ends with it."""
    assert CHROMIUM
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as folder:
        # No sandbox: as root in a container Chromium has none, and only our own page is opened.
        browser = await asyncio.create_subprocess_exec(
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--hide-scrollbars",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with aiohttp.ClientSession() as session:
                port = await _port(Path(folder) / "DevToolsActivePort")
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    tabs = await answer.json()
                address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    tab = Tab(socket)
                    listening = asyncio.create_task(tab.listen())
                    for domain in ("Page", "Runtime", "Log", "Network"):
                        await tab.send(f"{domain}.enable")
                    yield tab
                    listening.cancel()
        finally:
            with suppress(ProcessLookupError):
                browser.kill()
            await browser.wait()


async def _port(file: Path) -> int:
    """The port that the browser listens on, when it has written it."""
    async with asyncio.timeout(2 * LIMIT):
        while not (lines := await asyncio.to_thread(_lines, file)):  # noqa: ASYNC110  another process writes it
            await asyncio.sleep(0.02)
    return int(lines[0])


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.is_file() else []
