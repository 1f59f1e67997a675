"""What happens in a page of Chromium: tasks, layout shifts, moments of painting, CPU time, and the heap."""

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import CDPSession

RECORDER = """
(() => {
  const seen = (window.bench = { paints: {}, shift: 0, pixels: {}, usable: null })
  const whenPainted = (callback) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = callback
      port2.postMessage(null)
    })
  for (const type of ['paint', 'largest-contentful-paint'])
    new PerformanceObserver((list) => {
      for (const { name, entryType, startTime } of list.getEntries()) seen.paints[name || entryType] = startTime
    }).observe({ type, buffered: true })
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value
  }).observe({ type: 'layout-shift', buffered: true })
  const find = (records) => {
    if (seen.usable === null && document.querySelector('[data-store]')) {
      seen.usable = 0
      whenPainted(() => (seen.usable = performance.mark('usable').startTime))
    }
    for (const { target, addedNodes } of records)
      for (const node of addedNodes.length > 0 ? addedNodes : [target])
        for (const [, number] of (node.textContent ?? '').matchAll(/Change (\\d+)\\./g)) {
          if (number in seen.pixels) continue
          seen.pixels[number] = null
          whenPainted(() => (seen.pixels[number] = Date.now()))
        }
  }
  new MutationObserver(find).observe(document, { subtree: true, childList: true, characterData: true })
})()
"""
"""Records the first and the largest contentful paint, layout shifts, and when the first row of the list (`usable`) and
the text "Change 7." were painted: in the frame after it came into the document, once that frame's work is done."""
LOOP = """() => {
  const began = performance.now()
  let x = 1
  for (let i = 0; i < 4_000_000; i++) x = (x * 48271) % 2147483647
  return performance.now() - began + x * 0
}"""
"""The baseline: how long a loop takes at the same time, in milliseconds. It grows with other load on the machine."""


@asynccontextmanager
async def main_thread_tasks(session: CDPSession, until: str | None = None) -> AsyncIterator[list[tuple[float, float]]]:
    """Fills the list at the end of the block with each task of the page's main thread, in milliseconds: until it ended,
    and its CPU time. The two differ where the machine has more to do than CPUs. `until`: a mark of the page's; tasks
    after it aren't in the list."""
    events: list[dict[str, Any]] = []
    complete = asyncio.Event()
    session.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
    session.once("Tracing.tracingComplete", lambda _: complete.set())
    config = {
        "includedCategories": ["toplevel", "blink.user_timing"],
        "excludedCategories": ["*"],
        "traceBufferSizeInKb": 400_000,
    }
    await session.send("Tracing.start", {"traceConfig": config, "transferMode": "ReportEvents"})
    tasks: list[tuple[float, float]] = []
    yield tasks
    await session.send("Tracing.end")
    await complete.wait()
    by_thread: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    renderers = {
        (event["pid"], event["tid"]) for event in events if event.get("args", {}).get("name") == "CrRendererMain"
    }
    end = next((event["ts"] for event in events if until is not None and event["name"] == until), math.inf)
    for event in events:
        thread = event["pid"], event["tid"]
        if (
            thread in renderers
            and event["name"] == "ThreadControllerImpl::RunTask"
            and event["ts"] < end
            and "dur" in event
        ):
            by_thread[thread].append((event["dur"] / 1000, event.get("tdur", 0) / 1000))
    tasks += max(by_thread.values(), key=lambda its: sum(cpu for _, cpu in its))


async def used_heap(session: CDPSession) -> float:
    """Bytes, after a garbage collection."""
    await session.send("HeapProfiler.collectGarbage")
    usage = await session.send("Runtime.getHeapUsage")
    return float(usage["usedSize"])


async def task_seconds(session: CDPSession) -> float:
    """Seconds that the page's main thread was busy so far."""
    await session.send("Performance.enable")
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))
