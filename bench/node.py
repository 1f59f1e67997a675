"""`make bench-node`: stores as real containers on a real node, from createStore to READY, and what they take (root).

With `--woocommerce-zip FILE` (on make's command line: WOOCOMMERCE_ZIP=FILE) real WooCommerce stores as well, beside a
bare client that brings the same manifests to the same node.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from bench.peers import MANAGED, bare
from bench.residents import memory_by_group, over, usage
from bench.shopping import Shopper, crowd
from bench.stories import Failure, Made, Owner, Story, one_by_one, owner
from bench.system import ROOT, System, accounts, system
from bench.tables import row, say, show_usage, spread, table, told
from cli.place import ENGINES, IMAGES
from runtime.settings import ClusterProfile
from sandbox.images import build_images
from sandbox.kubernetes.control_plane import free_port
from sandbox.kubernetes.node.services import missing
from tests.cluster.platform import install
from tests.node.real import RealNode
from workers.engines.woocommerce import ENGINE
from workers.view import component

DATABASE_IMAGE = "mariadb:debian"
SETTLE_SECONDS, IDLE_SECONDS, BUSY_SECONDS, SHOPPERS, VISITS = 30.0, 60.0, 30.0, 4, 30
PARTS = ("web", "database")
JSON = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """A node with the platform on it."""

    node: RealNode
    up: System
    administrator: Path
    archives: Mapping[str, Path]

    @property
    def group(self) -> Path:
        """The folder after which the node's control group is called."""
        return self.node.state


@contextmanager
def started(plugin: Path | None) -> Iterator[Bench]:
    """Up, with all images; everything is removed at the end."""
    names = (*IMAGES, *(("woocommerce",) if plugin else ()))
    archives = build_images(names, say, files={"WOOCOMMERCE_ZIP": plugin} if plugin else {})
    with tempfile.TemporaryDirectory(prefix="storefleet-bench-") as folder:
        node = RealNode(Path(folder, "node"), tuple(archives), free_port())
        node.start()
        try:
            os.environ["STOREFLEET_TEST_KUBECONFIG"] = str(node.kubeconfig)
            platform_of = install(Path(folder))
            settings = {
                "STOREFLEET_ENGINES": ENGINES,
                "STOREFLEET_STORE_PORT": str(node.ingress_port),
                "STOREFLEET_DATABASE_IMAGE": DATABASE_IMAGE,
                "STOREFLEET_FAILURE_PATIENCE": "30",
            }
            with system(1, platform_of.account, node.platform_port, settings) as up:
                uvloop.run(accounts(up.database_url, 1))
                yield Bench(node, up, platform_of.admin, dict(zip(names, archives, strict=True)))
        finally:
            node.end()


async def pods(owner: Owner, made: Made) -> dict[str, JSON]:
    """Those of web and database, by component."""
    found, _ = await owner.watch.cluster.list("Pod", made.namespace, MANAGED)
    return {component(pod): pod for pod in found if component(pod) in PARTS}


async def fill(its: Bench, owner: Owner, most: int) -> JSON:
    """Stores beside each other, made one by one until one doesn't get READY, or one of the others isn't well."""
    stores: list[Made] = []
    stories: list[Story] = []
    gave = f"nothing, up to the cap of {most}"
    while len(stores) < most:
        made = await owner.create(f"Beside {len(stores)}", "SAMPLE")
        try:
            stories.append(await owner.ready(made))
        except Failure as failure:
            gave = str(failure)
            await why(owner, made)
            break
        stores.append(made)
        say(f"{len(stores)} stores, the last in {stories[-1].ready:.1f} s")
        if ill := [
            found["health"]["cause"] for made in stores if (found := await owner.store(made))["health"]["cause"]
        ]:
            gave = f"a store that was READY: {ill[0]}"
            break
    await asyncio.sleep(SETTLE_SECONDS)
    memory, load = memory_by_group(launcher(its), its.up), os.getloadavg()[0]
    await asyncio.gather(*(owner.delete(made) for made in stores))
    return {
        "fit": len(stores),
        "gave": gave,
        "stories": [asdict(story) for story in stories],
        "memory": memory,
        "load": load,
    }


async def why(owner: Owner, made: Made) -> None:
    """What the cluster has to say of a store that didn't get READY."""
    for pod in (await owner.watch.cluster.list("Pod", made.namespace, MANAGED))[0]:
        for condition in pod["status"].get("conditions") or ():
            if condition["status"] != "True" and condition.get("message"):
                say(f"{component(pod)}: {condition['type']} isn't so: {condition['message']}")
    for event in (await owner.watch.cluster.list("Event", made.namespace, fields="type=Warning"))[0]:
        say(f"{event['involvedObject']['name']}: {event['reason']}: {event.get('message')}")


def launcher(its: Bench) -> int:
    assert its.node.process is not None
    return its.node.process.pid


async def sample(its: Bench, stores: int, most: int) -> JSON:
    """The node and what runs on it, by the smallest store there is."""
    async with owner(its.up, its.administrator) as somebody:
        await somebody.delete(await first(somebody, "SAMPLE"))
        stories = await one_by_one(somebody, "SAMPLE", stores)
        print("\n## The sample shop")
        told(stories)
        made = await first(somebody, "SAMPLE")
        await asyncio.sleep(SETTLE_SECONDS)
        memory = memory_by_group(launcher(its), its.up)
        of_store = await idle(its, somebody, made)
        await somebody.delete(made)
        result = {"stories": [asdict(story) for story in stories], "memory": memory, "idle": of_store}
        full = await fill(its, somebody, most) if most else None
    table("MiB (proportional set size)", "with one store", f"with {full['fit']}" if full else "")
    for name in sorted(memory, key=lambda name: -memory[name]):
        row(name, f"{memory[name]:.0f}", f"{full['memory'].get(name, 0):.0f}" if full else "")
    row("all", f"{sum(memory.values()):.0f}", f"{sum(full['memory'].values()):.0f}" if full else "")
    show_usage("a sample store at rest", of_store)
    if full:
        table("beside each other", "figure")
        row("stores of the small plan that fit", full["fit"])
        row("what gave", full["gave"])
        if full["stories"]:
            row("createStore → READY of these", spread([story["ready"] for story in full["stories"]]))
        row("load of the machine then", f"{full['load']:.1f}")
    return result | {"full": full}


async def first(owner: Owner, engine: str) -> Made:
    """One that is READY; the first on a node warms up what the others use, so it isn't measured."""
    made = await owner.create("First", engine)
    await owner.ready(made)
    return made


async def idle(its: Bench, owner: Owner, made: Made) -> JSON:
    return await used(its, owner, made, asyncio.sleep(IDLE_SECONDS))


async def used(its: Bench, owner: Owner, made: Made, work: Any) -> JSON:
    """MiB at the end of the work, and thousandths of a CPU during it, by part."""
    uids = {part: pod["metadata"]["uid"] for part, pod in (await pods(owner, made)).items()}
    before = {part: usage(its.group, uid) for part, uid in uids.items()}
    began = time.monotonic()
    await work
    after = {part: over(its.group, uid, before[part], began) for part, uid in uids.items()}
    return {part: {"memory": memory, "cpu": cpu} for part, (memory, cpu) in after.items()}


async def woocommerce(its: Bench, stores: int) -> JSON:
    """Beside the floor: a bare client with the same manifests, on the same node, in turns."""
    profile = ClusterProfile(store_port=its.node.ingress_port, database_image=DATABASE_IMAGE)
    stories: list[Story] = []
    floor: list[float] = []
    async with owner(its.up, its.administrator) as somebody:
        await somebody.delete(await first(somebody, "WOOCOMMERCE"))
        for number in range(stores):
            stories += await one_by_one(somebody, "WOOCOMMERCE", 1)
            floor.append(await bare(its.administrator, 1, ENGINE, profile))
            await sweep(somebody)
            say(f"WooCommerce {number + 1}: READY in {stories[-1].ready:.1f} s, the bare client {floor[-1]:.1f} s")
        print("\n## WooCommerce")
        told(stories)
        table("the same manifests, posted by a bare client", "seconds")
        row(f"until the proof has ended ({stores}, in turns with ours)", spread(floor))
        made = await first(somebody, "WOOCOMMERCE")
        result = await visits(its, somebody, made)
        await somebody.delete(made)
    sizes = {name: path.stat().st_size / 2**20 for name, path in its.archives.items()}
    table("image", "MiB, compressed")
    for name, size in sizes.items():
        row(name, f"{size:.1f}")
    return {"stories": [asdict(story) for story in stories], "floor": floor, "images": sizes} | result


async def sweep(owner: Owner) -> None:
    """What a bare client left."""
    cluster = owner.watch.cluster
    while found := (await cluster.list("Namespace", labels=MANAGED))[0]:
        for item in found:
            if "deletionTimestamp" not in item["metadata"]:
                await cluster.delete("Namespace", item["metadata"]["name"])
        await asyncio.sleep(0.5)


async def visits(its: Bench, owner: Owner, made: Made) -> JSON:
    """A store of the small plan, seen by shoppers and by the node."""
    await asyncio.sleep(SETTLE_SECONDS)
    at_rest = await idle(its, owner, made)
    async with aiohttp.ClientSession() as session:
        shopper = Shopper(session, made.url)
        waits = {path: await shopper.first_bytes(path, VISITS) for path in ("/healthz", "/readyz", "/")}
        await shopper.fill_cart()
        waits["/checkout/"] = await shopper.first_bytes("/checkout/", VISITS)
        warm = await idle(its, owner, made)
        pages = 0.0

        async def work() -> None:
            nonlocal pages
            pages = await crowd(session, made.url, SHOPPERS, BUSY_SECONDS)

        busy = await used(its, owner, made, work())
    show_usage("a new WooCommerce store at rest", at_rest)
    show_usage("at rest after its first visitors", warm)
    show_usage(f"with {SHOPPERS} shoppers without a pause, {pages:.1f} pages/s", busy)
    table(f"first byte, warm, through the ingress (median of {VISITS})", "milliseconds")
    for path, took in waits.items():
        row(path, spread(took, "ms", 0))
    return {"idle": at_rest, "warm": warm, "busy": busy, "pages": pages, "waits": waits}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.node", description=__doc__)
    parser.add_argument("--stores", type=int, default=10, help="sample shops, one after the other; 0: none at all")
    parser.add_argument("--most", type=int, default=30, help="sample shops beside each other, if they fit")
    parser.add_argument("--woocommerce-zip", type=Path, help="WooCommerce's plugin, which no package has")
    parser.add_argument("--shops", type=int, default=5, help="WooCommerce stores, in turns with a bare client")
    parser.add_argument("--json", type=Path, help="where to write all of it")
    options = parser.parse_args()
    if problem := missing():
        sys.exit(problem)
    commit = ["git", "rev-parse", "--short", "HEAD"]
    said = subprocess.run(commit, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    print(f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, commit {said}", flush=True)
    results: JSON = {}
    with started(options.woocommerce_zip) as its:
        if options.stores:
            results["sample"] = uvloop.run(sample(its, options.stores, options.most))
        if options.woocommerce_zip:
            results["woocommerce"] = uvloop.run(woocommerce(its, options.shops))
        else:
            say("SKIPPED: WooCommerce, whose plugin is no package; give --woocommerce-zip FILE.")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
