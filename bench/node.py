"""`make bench-node`: measures stores as real containers on a real node: time to READY, memory and CPU (needs root).

Also MedusaJS stores and, with `--woocommerce-zip FILE` (`make bench-node WOOCOMMERCE_ZIP=FILE`), WooCommerce stores,
compared with a bare client that creates the same objects on the same node.
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

from bench.baselines import MANAGED, bare_client
from bench.concurrent_visitors import measure_concurrent_visitors
from bench.resource_usage import memory_by_program, usage, usage_since
from bench.shopper_load import PAGES, PRODUCTS, Shopper, publishable_key, run_shoppers
from bench.store_timings import CreatedStore, StoreFailed, StoreOwner, StoreTiming, measure_one_by_one, store_owner
from bench.system import ROOT, System, accounts, system
from bench.tables import print_timings, report, row, show_usage, spread, table
from cli.demo_cluster import ENGINES, IMAGES
from runtime.settings import ClusterProfile
from sandbox.images import build_images
from sandbox.kubernetes.node.services import missing_requirements
from sandbox.ports import free_port
from stores.engines import Engine
from tests.cluster.platform import install
from tests.node.real_node import RealNode
from workers.engines import medusa, woocommerce
from workers.snapshot import component

DATABASE_IMAGE, POSTGRES_IMAGE = "mariadb:debian", "postgres:debian"  # the small plan needs no Valkey
SETTLE_SECONDS, IDLE_SECONDS, BUSY_SECONDS, SHOPPERS, VISITS = 30.0, 60.0, 30.0, 4, 30
COMPONENTS = ("web", "database")
JSON = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """A running node, and the platform that uses it."""

    node: RealNode
    instance: System
    administrator: Path
    archives: Mapping[str, Path]

    @property
    def state_folder(self) -> Path:
        """The node's folder; the name of its cgroup is derived from it."""
        return self.node.state


@contextmanager
def running_bench(plugin: Path | None) -> Iterator[Bench]:
    """A node with all images and the platform, until the end of the block; then everything is removed."""
    engines = ("sample", "medusa", *(("woocommerce",) if plugin else ()))
    names = tuple(dict.fromkeys(image for engine in engines for image in IMAGES[engine]))
    archives = build_images(names, report, files={"WOOCOMMERCE_ZIP": plugin} if plugin else {})
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
                "STOREFLEET_POSTGRES_IMAGE": POSTGRES_IMAGE,
                "STOREFLEET_FAILURE_PATIENCE": "30",
            }
            with system(1, platform_of.account, node.platform_port, settings) as instance:
                uvloop.run(accounts(instance.database_url, 1))
                yield Bench(node, instance, platform_of.admin, dict(zip(names, archives, strict=True)))
        finally:
            node.stop()


async def pods(owner: StoreOwner, created: CreatedStore) -> dict[str, JSON]:
    """A store's pods of PARTS, by component."""
    items, _ = await owner.watch.cluster.list("Pod", created.namespace, MANAGED)
    return {component(pod): pod for pod in items if component(pod) in COMPONENTS}


async def measure_capacity(bench: Bench, owner: StoreOwner, most: int) -> JSON:
    """Create stores until one doesn't become READY, a READY one becomes unhealthy, or there are `most` stores."""
    stores: list[CreatedStore] = []
    timings: list[StoreTiming] = []
    limit_reached = f"none, up to {most} stores"
    while len(stores) < most:
        created = await owner.create(f"Sample {len(stores)}", "SAMPLE")
        try:
            timings.append(await owner.wait_ready(created))
        except StoreFailed as failure:
            limit_reached = str(failure)
            await print_diagnostics(owner, created)
            break
        stores.append(created)
        report(f"{len(stores)} stores, the last in {timings[-1].ready:.1f} s")
        if unhealthy := [
            namespaces["health"]["cause"]
            for created in stores
            if (namespaces := await owner.store(created))["health"]["cause"]
        ]:
            limit_reached = f"a store that was READY: {unhealthy[0]}"
            break
    await asyncio.sleep(SETTLE_SECONDS)
    memory, load = memory_by_program(launcher(bench), bench.instance), os.getloadavg()[0]
    await asyncio.gather(*(owner.delete(created) for created in stores))
    return {
        "fit": len(stores),
        "limit": limit_reached,
        "stories": [asdict(timing) for timing in timings],
        "memory": memory,
        "load": load,
    }


async def print_diagnostics(owner: StoreOwner, created: CreatedStore) -> None:
    """Print why a store didn't become READY: conditions of its pods, and warning events."""
    for pod in (await owner.watch.cluster.list("Pod", created.namespace, MANAGED))[0]:
        for condition in pod["status"].get("conditions") or ():
            if condition["status"] != "True" and condition.get("message"):
                report(f"{component(pod)}: {condition['type']} is false: {condition['message']}")
    for event in (await owner.watch.cluster.list("Event", created.namespace, fields="type=Warning"))[0]:
        report(f"{event['involvedObject']['name']}: {event['reason']}: {event.get('message')}")


def launcher(bench: Bench) -> int:
    assert bench.node.process is not None
    return bench.node.process.pid


async def measure_sample(bench: Bench, stores: int, most: int) -> JSON:
    """Measure the node and the sample shop, the smallest store."""
    async with store_owner(bench.instance, bench.administrator) as owner:
        await owner.delete(await create_warm_store(owner, "SAMPLE"))
        timings = await measure_one_by_one(owner, "SAMPLE", stores)
        print("\n## The sample shop")
        print_timings(timings)
        created = await create_warm_store(owner, "SAMPLE")
        await asyncio.sleep(SETTLE_SECONDS)
        memory = memory_by_program(launcher(bench), bench.instance)
        of_store = await usage_idle(bench, owner, created)
        await owner.delete(created)
        result = {"stories": [asdict(timing) for timing in timings], "memory": memory, "idle": of_store}
        full = await measure_capacity(bench, owner, most) if most else None
    table("MiB (proportional set size)", "with one store", f"with {full['fit']}" if full else "")
    for name in sorted(memory, key=lambda name: -memory[name]):
        row(name, f"{memory[name]:.0f}", f"{full['memory'].get(name, 0):.0f}" if full else "")
    row("all", f"{sum(memory.values()):.0f}", f"{sum(full['memory'].values()):.0f}" if full else "")
    show_usage("a sample store at rest", of_store)
    if full:
        table("at the same time", "figure")
        row("stores of the small plan that fit", full["fit"])
        row("what limited it", full["limit"])
        if full["stories"]:
            row("createStore → READY of these", spread([timing["ready"] for timing in full["stories"]]))
        row("load of the machine then", f"{full['load']:.1f}")
    return result | {"full": full}


async def create_warm_store(owner: StoreOwner, engine: str) -> CreatedStore:
    """A READY store. The first store on a node warms up caches, so it isn't measured."""
    created = await owner.create("First", engine)
    await owner.wait_ready(created)
    return created


async def usage_idle(bench: Bench, owner: StoreOwner, created: CreatedStore) -> JSON:
    return await usage_during(bench, owner, created, asyncio.sleep(IDLE_SECONDS))


async def usage_during(bench: Bench, owner: StoreOwner, created: CreatedStore, work: Any) -> JSON:
    """By component: memory in MiB at the end of `work`, and CPU in thousandths of a core during it."""
    uids = {component_name: pod["metadata"]["uid"] for component_name, pod in (await pods(owner, created)).items()}
    before = {component_name: usage(bench.state_folder, uid) for component_name, uid in uids.items()}
    started = time.monotonic()
    await work
    after = {
        component_name: usage_since(bench.state_folder, uid, before[component_name], started)
        for component_name, uid in uids.items()
    }
    return {component_name: {"memory": memory, "cpu": cpu} for component_name, (memory, cpu) in after.items()}


async def measure_engine(bench: Bench, engine: Engine, stores: int) -> JSON:
    """Measure an engine's stores, alternating with the baseline: a bare client that creates the same objects."""
    name = engine.name.upper()
    profile = ClusterProfile(
        store_port=bench.node.ingress_port, database_image=DATABASE_IMAGE, postgres_image=POSTGRES_IMAGE
    )
    timings: list[StoreTiming] = []
    baseline: list[float] = []
    async with store_owner(bench.instance, bench.administrator) as owner:
        await owner.delete(await create_warm_store(owner, name))
        for number in range(stores):
            timings += await measure_one_by_one(owner, name, 1)
            baseline.append(await bare_client(bench.administrator, 1, engine, profile))
            await delete_leftovers(owner)
            report(
                f"{engine.title} {number + 1}: READY in {timings[-1].ready:.1f} s, the bare client {baseline[-1]:.1f} s"
            )
        print(f"\n## {engine.title}")
        print_timings(timings)
        table("the same manifests, posted by a bare client", "seconds")
        row(f"until the proof has ended ({stores}, in turns with ours)", spread(baseline))
        created = await create_warm_store(owner, name)
        result = await measure_visits(bench, owner, created, name)
        await owner.delete(created)
    sizes = {name: path.stat().st_size / 2**20 for name, path in bench.archives.items()}
    table("image", "MiB, compressed")
    for name, size in sizes.items():
        row(name, f"{size:.1f}")
    return {"stories": [asdict(timing) for timing in timings], "floor": baseline, "images": sizes} | result


async def delete_leftovers(owner: StoreOwner) -> None:
    """Delete the namespaces that the bare client created."""
    cluster = owner.watch.cluster
    while namespaces := (await cluster.list("Namespace", labels=MANAGED))[0]:
        for item in namespaces:
            if "deletionTimestamp" not in item["metadata"]:
                await cluster.delete("Namespace", item["metadata"]["name"])
        await asyncio.sleep(0.5)


async def measure_visits(bench: Bench, owner: StoreOwner, created: CreatedStore, engine: str) -> JSON:
    """Measure response times and resource usage of a store with the plan small."""
    await asyncio.sleep(SETTLE_SECONDS)
    at_rest = await usage_idle(bench, owner, created)
    async with aiohttp.ClientSession() as session:
        shopper = Shopper(session, created.url, engine)
        home, product, checkout = PAGES[engine]
        waits = {
            path: await shopper.time_to_first_byte(path, VISITS) for path in ("/healthz", "/readyz", home, product)
        }
        key = (
            await publishable_key(session, created.url, *await owner.credentials(created)) if engine == "MEDUSA" else {}
        )
        shopper.headers = key
        waits[PRODUCTS[engine]] = await shopper.time_to_first_byte(PRODUCTS[engine], VISITS)
        await shopper.fill_cart()
        waits[checkout] = await shopper.time_to_first_byte(checkout, VISITS)
        warm = await usage_idle(bench, owner, created)
        pages = 0.0

        async def work() -> None:
            nonlocal pages
            pages = await run_shoppers(session, created.url, engine, SHOPPERS, BUSY_SECONDS)

        busy = await usage_during(bench, owner, created, work())
    visits = await measure_concurrent_visitors(owner, created, engine, key)
    show_usage("a new store at rest", at_rest)
    show_usage("at rest after its first visitors", warm)
    show_usage(f"with {SHOPPERS} shoppers without a pause, {pages:.1f} pages/s", busy)
    table(f"first byte, warm, through the ingress (median of {VISITS})", "milliseconds")
    for path, took in waits.items():
        row(path, spread(took, "ms", 0))
    return {"idle": at_rest, "warm": warm, "busy": busy, "pages": pages, "waits": waits, "visits": visits}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.node", description=__doc__)
    parser.add_argument(
        "--stores", type=int, default=10, help="number of sample shops, one after the other; 0: skip them"
    )
    parser.add_argument("--most", type=int, default=30, help="maximum number of sample shops at the same time")
    parser.add_argument("--woocommerce-zip", type=Path, help="WooCommerce's plugin as a zip file")
    parser.add_argument(
        "--shops", type=int, default=5, help="number of stores of each other engine, alternating with a bare client"
    )
    parser.add_argument("--json", type=Path, help="file for all results")
    options = parser.parse_args()
    if problem := missing_requirements():
        sys.exit(problem)
    commit = ["git", "rev-parse", "--short", "HEAD"]
    commit_id = subprocess.run(commit, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    print(f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, commit {commit_id}", flush=True)
    results: JSON = {}
    with running_bench(options.woocommerce_zip) as bench:
        if options.stores:
            results["sample"] = uvloop.run(measure_sample(bench, options.stores, options.most))
        if options.shops:
            results["medusa"] = uvloop.run(measure_engine(bench, medusa.ENGINE, options.shops))
        if options.woocommerce_zip:
            results["woocommerce"] = uvloop.run(measure_engine(bench, woocommerce.ENGINE, options.shops))
        else:
            report("SKIPPED: WooCommerce, because its plugin isn't in a package; give --woocommerce-zip FILE.")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
