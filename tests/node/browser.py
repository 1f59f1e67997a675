"""A real Chromium without a window, told by its DevTools protocol to look, click and type as people do."""

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

JSON = dict[str, Any]
PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # root runs it, and what it visits is ours
    "--no-first-run",
    "--no-proxy-server",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--window-size=1280,1000",
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost",  # a shop needs nobody else
)
PLACE = """
(() => {
  const found = document.querySelector(%s);
  if (!found || found.disabled) return null;
  found.scrollIntoView({block: "center", behavior: "instant"});
  const box = found.getBoundingClientRect();
  return box.width && box.height ? [box.x + box.width / 2, box.y + box.height / 2] : null;
})()
"""


@dataclass
class Page:
    """A tab of somebody who shares no cookie with the others."""

    socket: aiohttp.ClientWebSocketResponse
    session: str
    numbers: "itertools.count[int]"

    async def send(self, method: str, **params: Any) -> JSON:
        """A command of the protocol: its result."""
        message = {"id": next(self.numbers), "method": method, "params": params}
        return await _answer(self.socket, message | ({"sessionId": self.session} if self.session else {}))

    async def open(self, url: str) -> None:
        """Go there, and wait until it is shown."""
        went = await self.send("Page.navigate", url=url)
        assert "errorText" not in went, went
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def run(self, script: str) -> Any:
        """A JavaScript expression's value; None while the page changes."""
        done = await self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return done.get("result", {}).get("value")

    async def until(self, script: str, seconds: float = 30) -> Any:
        """The expression's value as soon as it is true."""
        try:
            async with asyncio.timeout(seconds):
                for pause in itertools.repeat(0.05):
                    if value := await self.run(script):
                        return value
                    await asyncio.sleep(pause)
        except TimeoutError:
            seen = await self.run("location.href + '\\n' + document.body.innerText.slice(-1500)")
            raise AssertionError(f"never {script}; what is seen: {seen}") from None

    async def sees(self, *words: str) -> None:
        for word in words:
            await self.until(f"document.body.innerText.includes({json.dumps(word)})")

    async def click(self, selector: str) -> None:
        """With the mouse, when it is there."""
        x, y = await self.until(PLACE % json.dumps(selector))
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def type(self, selector: str, text: str) -> None:
        """Into a field, when it is there, instead of what is in it."""
        field = f"document.querySelector({json.dumps(selector)})"
        await self.until(f"{field} && ({field}.focus(), {field}.select(), document.activeElement === {field})")
        await self.send("Input.insertText", text=text)
        await self.until(f"{field}.value === {json.dumps(text)}")


@asynccontextmanager
async def chromium(http: aiohttp.ClientSession, folder: Path, people: int) -> AsyncIterator[list[Page]]:
    """Pages of so many people. `folder`: for its profile, not there yet."""
    assert PROGRAM is not None
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, *OPTIONS, f"--user-data-dir={folder}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = folder / "DevToolsActivePort"
        async with asyncio.timeout(60):
            while not (port.exists() and len(port.read_text().split()) == 2):
                assert process.returncode is None, f"Chromium ended with {process.returncode}"
                await asyncio.sleep(0.05)
        number, path = port.read_text().split()
        async with http.ws_connect(f"ws://127.0.0.1:{number}{path}", max_msg_size=0) as socket:
            browser = Page(socket, "", itertools.count(1))
            yield [await _page(browser) for _ in range(people)]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _page(browser: Page) -> Page:
    own = await browser.send("Target.createBrowserContext")
    target = await browser.send("Target.createTarget", url="about:blank", browserContextId=own["browserContextId"])
    session = await browser.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
    return Page(browser.socket, session["sessionId"], browser.numbers)


async def _answer(socket: aiohttp.ClientWebSocketResponse, message: JSON) -> JSON:
    """One command at a time; events in between are nobody's business."""
    await socket.send_json(message)
    while True:
        said = await socket.receive_json(timeout=60)
        if said.get("id") == message["id"]:
            assert "error" not in said, said["error"]
            result: JSON = said["result"]
            return result
