"""A headless Chromium and one of its tabs, controlled by the DevTools protocol."""

import asyncio
import subprocess
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.machine import browser_command, need

_SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--remote-debugging-port=0",
    # Requests to other hosts fail, and the test sees them.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
_START_SECONDS = 30.0


@contextmanager
def chromium(profile: Path) -> Generator[str]:
    """Start a browser with a fresh *profile* and yield its URL; skip the test if no browser is installed."""
    need("chromium")
    command = [str(browser_command()), *_SWITCHES, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{_port(profile / 'DevToolsActivePort', process)}"
    finally:
        process.terminate()
        process.wait()


def _port(announcement: Path, process: "subprocess.Popen[bytes]") -> int:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        lines = announcement.read_text("utf-8").splitlines() if announcement.exists() else []
        if len(lines) > 1:
            return int(lines[0])
        time.sleep(0.02)
    raise AssertionError(f"the browser did not start within {_START_SECONDS} s, exit code {process.poll()}")


class Tab:
    """One tab of the browser: sends commands and collects events."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.events: list[dict[str, Any]] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; AssertionError if the browser rejects it."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = await self._receive()
            if message.get("id") == self._number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    async def wait_for(self, event: str) -> None:
        """Wait until *event* has happened."""
        while not any(each["method"] == event for each in self.events):
            await self._receive()

    async def evaluate(self, script: str) -> Any:
        """Return the value of *script*, awaited if it is a promise."""
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def set_width(self, pixels: int) -> None:
        """Set the width of the window."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=pixels,
            height=800,
            deviceScaleFactor=1,
            mobile=pixels < 600,
        )

    def parameters_of(self, event: str) -> list[dict[str, Any]]:
        """Return the parameters of every *event* so far."""
        return [each["params"] for each in self.events if each["method"] == event]

    async def _receive(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            message: dict[str, Any] = await self._socket.receive_json()
        if "method" in message:
            self.events.append(message)
        return message


@asynccontextmanager
async def opened(browser: str, url: str, *, width: int) -> AsyncGenerator[Tab]:
    """Open *url* in a new tab of *browser*, wait until it is loaded, and close the tab afterwards."""
    async with aiohttp.ClientSession(browser) as session:
        async with session.put("/json/new?about:blank") as answer:
            target = await answer.json()
        async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            tab = Tab(socket)
            for domain in ("Page", "Network", "Log", "Runtime"):
                await tab.call(f"{domain}.enable")
            await tab.set_width(width)
            # A page opened after a search would mark the words that were searched for.
            await tab.call("Storage.clearDataForOrigin", origin=url, storageTypes="local_storage")
            tab.events.clear()
            await tab.call("Page.navigate", url=url)
            await tab.wait_for("Page.loadEventFired")
            yield tab
        async with session.get(f"/json/close/{target['id']}") as answer:
            await answer.read()
