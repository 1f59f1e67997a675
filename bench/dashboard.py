"""`make bench-dashboard`: measures the dashboard in Chromium: its first load, and a thousand stores that change."""

import argparse
import asyncio
import random
import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from playwright.async_api import Browser, CDPSession, Page, async_playwright

from bench.page_recorder import LOOP, RECORDER, main_thread_tasks, task_seconds, used_heap
from bench.system import System, percentile, system
from bench.tables import report, row, spread, table
from runtime.changefeed import CHANNEL
from runtime.frontend import FRONTEND
from sandbox.dashboard import build
from schema.ids import decode_id
from tests.support.browser import CHROMIUM, LAUNCH_ARGUMENTS

USER = {"email": "bench@example.com", "password": "correct horse battery"}
STORES = 1000
PAGE = 100
MOVING = 20
"""Stores that are being set up; the others are READY."""
CHANGES_A_SECOND = 20
DEGRADED_AT_ONCE = 5
SLOWDOWN = 4
LOADS = 5
FEW_STORES = 12
INSERT_STORES = """
INSERT INTO stores (id, account_id, name, slug, engine, release, plan, admin_email, country, currency, cluster, status,
                    spec_hash, proof_hash, receipt, ready_at, health, health_since, created_at)
SELECT gen_random_uuid(), $1, 'Shop ' || to_char(number, 'FM0000'), 'shop-' || number, 'woocommerce', '2026.11',
       'small', 'owner@example.com', 'DE', 'EUR', 'elsewhere', CASE WHEN moving THEN 'PROVISIONING' ELSE 'READY' END,
       'x', 'x', '{"simulated": true, "totalMs": 1, "steps": []}', CASE WHEN NOT moving THEN now() END,
       CASE WHEN NOT moving THEN 'HEALTHY' END, CASE WHEN NOT moving THEN now() END,
       now() - interval '1 minute' * number
FROM (SELECT number, number % $4 = 0 AS moving FROM generate_series($2::int, $3::int) number) numbers
RETURNING id, status
"""
"""Of a cluster without workers: only this bench changes them."""
INSERT_STEPS = """
INSERT INTO steps (store_id, position, name, status, started_at, finished_at)
SELECT stores.id, position, step.name, CASE WHEN status = 'READY' THEN 'SUCCEEDED' ELSE 'PENDING' END,
       CASE WHEN status = 'READY' THEN now() END, CASE WHEN status = 'READY' THEN now() END
FROM stores, unnest('{credentials,namespace,isolation,database,install,web,proof}'::text[])
     WITH ORDINALITY AS step (name, position)
ON CONFLICT DO NOTHING
"""
SET_HEALTH = "UPDATE stores SET health = $2, health_cause = $3, health_since = now() WHERE id = $1"
SET_STEP = """
UPDATE steps SET status = CASE WHEN status = 'PENDING' THEN 'RUNNING' ELSE 'PENDING' END,
                 started_at = CASE WHEN status = 'PENDING' THEN now() END
WHERE store_id = $1 AND position = $2 RETURNING name, status
"""
INSERT_EVENT = """
INSERT INTO events (account_id, store_id, type, status, step, message) VALUES ($1, $2, $3, $4, $5, 'Changed.')
"""


@dataclass
class Changes:
    """Commits changes as a worker does: the row, its event and a notification in one transaction."""

    connection: asyncpg.Connection
    account: UUID
    ready: list[UUID] = field(default_factory=list)
    moving: list[UUID] = field(default_factory=list)
    number: int = 0
    degraded: deque[UUID] = field(default_factory=deque)
    committed: dict[str, float] = field(default_factory=dict)
    """Milliseconds since the epoch, just before COMMIT, by the number that the page shows."""

    async def add_stores(self, first: int, last: int) -> None:
        """Stores with these numbers."""
        stores = await self.connection.fetch(INSERT_STORES, self.account, first, last, STORES // MOVING)
        await self.connection.execute(INSERT_STEPS)
        self.ready += [store for store, status in stores if status == "READY"]
        self.moving += [store for store, status in stores if status != "READY"]

    async def commit(self) -> None:
        """Every second change is a step of a store on its way; the others make a store DEGRADED, or HEALTHY again."""
        self.number += 1
        async with self.connection.transaction():
            if self.number % 2:
                store = random.choice(self.moving)
                name, status = await self.connection.fetchrow(SET_STEP, store, random.randint(1, 7))
                step = f'{{"name": "{name}", "status": "{status}", "message": null}}'
                await self.connection.execute(INSERT_EVENT, self.account, store, "STEP", "PROVISIONING", step)
            elif len(self.degraded) >= DEGRADED_AT_ONCE:
                await self._set_health(self.degraded.popleft(), "HEALTHY", None)
            else:
                store = random.choice([one for one in self.ready if one not in self.degraded])
                self.degraded.append(store)
                await self._set_health(store, "DEGRADED", f"Change {self.number}.")
            await self.connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(self.account))
            self.committed[str(self.number)] = time.time() * 1000

    async def _set_health(self, store: UUID, health: str, cause: str | None) -> None:
        await self.connection.execute(SET_HEALTH, store, health, cause)
        await self.connection.execute(INSERT_EVENT, self.account, store, "HEALTH", "READY", None)

    async def run(self, seconds: float, a_second: float) -> None:
        """Commit changes at that rate. A late one is made up for."""
        started = time.monotonic()
        for number in range(int(seconds * a_second)):
            await asyncio.sleep(max(0, started + number / a_second - time.monotonic()))
            await self.commit()


async def new_page(browser: Browser, url: str, slowdown: int = 1) -> tuple[Page, CDPSession]:
    """An empty page in a new browser context, so with an empty cache, that is signed in; `slowdown`: of its CPU."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(120_000)
    page = await context.new_page()
    await page.add_init_script("localStorage.setItem('sf-tour', 'seen')")
    await page.add_init_script(RECORDER)
    answer = await page.request.post(f"{url}/auth/sign-in", data=USER)
    assert answer.ok, await answer.text()
    session = await context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    return page, session


async def open_list(page: Page, url: str) -> None:
    await page.goto(url)
    await page.locator("[data-store]").first.wait_for()


@dataclass
class Load:
    """One load of the list; times in seconds."""

    usable: float
    """Until the frame with the first rows is done."""
    cpu: float
    """CPU time of the main thread until then."""
    paints: dict[str, float]
    shift: float
    loop: float
    """Milliseconds of the fixed loop in the same page."""
    scripts: set[str]

    @classmethod
    async def measure(cls, browser: Browser, url: str) -> "Load":
        page, session = await new_page(browser, url, SLOWDOWN)
        async with main_thread_tasks(session, until="usable") as tasks:
            await open_list(page, url)
            await page.wait_for_function("bench.usable")
        await page.wait_for_timeout(3000)
        seen = await page.evaluate("bench")
        scripts = await page.evaluate(
            "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)"
            ".filter((name) => name.endsWith('.js'))"
        )
        loop = await page.evaluate(LOOP)
        await page.context.close()
        paints = {name: at / 1000 for name, at in seen["paints"].items()}
        cpu = sum(cpu for _, cpu in tasks) / 1000
        return cls(seen["usable"] / 1000, cpu, paints, seen["shift"], loop, set(scripts))


async def first_load(browser: Browser, builds: Mapping[str, tuple[str, Path]], shown: int) -> None:
    """Measure the scripts that the list needs, and when it can be used on a slow CPU. `builds`: by name, the URL and
    the package of each dashboard, which are loaded in turns. `shown`: the number of stores."""
    loads: dict[str, list[Load]] = {name: [] for name in builds}
    for _ in range(LOADS):
        for name, (url, _package) in builds.items():
            loads[name].append(await Load.measure(browser, url))

    def figures(figure: Callable[[Load], float], unit: str, digits: int) -> list[str]:
        return [spread([figure(load) for load in its], unit, digits) for its in loads.values()]

    def size(name: str) -> int:
        files = {script for load in loads[name] for script in load.scripts}
        return sum((builds[name][1] / "dist" / f"{file.strip('/')}.gz").stat().st_size for file in files)

    def paint(name: str, load: Load) -> float:
        return load.paints[name]

    table(f"first load of a list with {shown} stores, CPU {SLOWDOWN} times as slow, {LOADS} loads", *builds, "aim")
    row("scripts, gzip", *(f"{size(name) / 1000:.0f} kB" for name in builds), "≤ 210 kB")
    row("CPU time of the main thread until rows are painted", *figures(lambda load: load.cpu, "s", 2), "≤ 1.5 s")
    row("rows are painted after", *figures(lambda load: load.usable, "s", 2), "≤ 1.5 s")
    for name in ("first-contentful-paint", "largest-contentful-paint"):
        row(name.replace("-", " "), *figures(partial(paint, name), "s", 2), "")
    row("a fixed loop in the same pages", *figures(lambda load: load.loop, "ms", 0), "")
    row("layout shift, the largest", *(f"{max(load.shift for load in its):.4f}" for its in loads.values()), "0")


async def many_changes(browser: Browser, instance: System, changes: Changes, seconds: float) -> None:
    """Measure a list of all stores: at rest, with a change now and then, and with many."""
    page, session = await new_page(browser, instance.url)
    await open_list(page, instance.url)
    await show_all(page)
    table(f"{STORES:,} stores on the page", "at rest", "1 change/s", f"{CHANGES_A_SECOND} changes/s")
    figures: list[dict[str, str]] = []
    for length, a_second in ((seconds / 10, 0.0), (seconds / 10, 1.0), (seconds, float(CHANGES_A_SECOND))):
        report(f"{a_second:g} changes a second for {length:g} s")
        figures.append(await observe(page, session, changes, length, a_second))
    for what in figures[0]:
        row(what, *(part[what] for part in figures))


async def show_all(page: Page) -> None:
    """Load all pages of the list."""
    more = page.get_by_role("button", name="Show more")
    for _ in range(STORES // PAGE - 1):
        await more.click()
    await more.wait_for(state="detached")
    await page.wait_for_timeout(1000)


async def observe(page: Page, session: CDPSession, changes: Changes, seconds: float, a_second: float) -> dict[str, str]:
    """Figures by what they are. The heap is measured after a garbage collection, first after a warm-up."""
    await changes.run(seconds / 10, a_second)
    heap = await used_heap(session)
    await page.evaluate("Object.assign(bench, { pixels: {} })")
    changes.committed.clear()
    busy = await task_seconds(session)
    async with main_thread_tasks(session) as tasks:
        await changes.run(seconds, a_second)
        await asyncio.sleep(0 if a_second else seconds)
        await page.wait_for_timeout(1000)
    busy = (await task_seconds(session) - busy) / (seconds + 1)
    loops = [await page.evaluate(LOOP) for _ in range(5)]
    seen: dict[str, Any] = await page.evaluate("bench")
    latencies = [
        at - changes.committed[number] for number, at in seen["pixels"].items() if at and number in changes.committed
    ]
    return {
        "commit → pixel p50 / p99": (
            f"{percentile(latencies, 0.5):.0f} / {percentile(latencies, 0.99):.0f} ms ({len(latencies)})"
            if latencies
            else ""
        ),
        "longest task: its CPU time": f"{max(cpu for _, cpu in tasks):.0f} ms",
        "longest task: until it ended": f"{max(wall for wall, _ in tasks):.0f} ms",
        "tasks of more than 100 ms of CPU time": f"{sum(cpu > 100 for _, cpu in tasks)} of {len(tasks):,}",
        "tasks that ended after more than 100 ms": f"{sum(wall > 100 for wall, _ in tasks)}",
        "main thread: its CPU time": f"{sum(cpu for _, cpu in tasks) / 10 / (seconds + 1):.0f} %",
        "main thread: busy or kept waiting for a CPU": f"{busy:.0%}",
        "heap grew by": f"{(await used_heap(session) - heap) / 1e6:.1f} MB",
        "a fixed loop at the same time": f"{statistics.median(loops):.0f} ms",
    }


async def prepare(browser: Browser, instance: System) -> Changes:
    """Sign up the user, and give the account its first stores."""
    context = await browser.new_context()
    answer = await context.request.post(f"{instance.url}/auth/sign-up", data=USER)
    account = decode_id("Account", (await answer.json())["accountId"])
    assert account is not None
    await context.close()
    connection = await asyncpg.connect(instance.database_url)
    await connection.execute("INSERT INTO account_streams (account_id) VALUES ($1) ON CONFLICT DO NOTHING", account)
    changes = Changes(connection, account)
    await changes.add_stores(1, FEW_STORES)
    return changes


async def measure(instance: System, seconds: float, before: Path | None) -> None:
    builds = {"now": (instance.url, FRONTEND)}
    if before is not None:
        builds = {"before": (instance.another_api(before), before / "frontend"), **builds}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=LAUNCH_ARGUMENTS)
        changes = await prepare(browser, instance)
        await first_load(browser, builds, FEW_STORES)
        await changes.add_stores(FEW_STORES + 1, STORES)
        await first_load(browser, builds, PAGE)
        if seconds:
            await many_changes(browser, instance, changes, seconds)
        await changes.connection.close()
        await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.dashboard")
    parser.add_argument("--seconds", type=float, default=600, help="of many changes; 0: only the first load")
    parser.add_argument(
        "--before", type=Path, metavar="CLONE", help="measure the first load of this clone's dashboard, too, in turns"
    )
    options = parser.parse_args()
    assert CHROMIUM is not None, "needs Chromium: apt-get install chromium"
    build(report)
    if options.before is not None:
        build(report, options.before / "frontend")
    with system(workers=0, settings={"STOREFLEET_SIGN_UP": "open"}) as instance:
        asyncio.run(measure(instance, options.seconds, options.before))


if __name__ == "__main__":
    main()
