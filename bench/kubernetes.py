"""`make bench-kubernetes`: many stores on a real API server, compared with a bare client and with helm."""

import argparse
import asyncio
import itertools
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import asyncpg
import psutil
import uvloop

from bench.baselines import bare_client, helm_install_loop
from bench.plot import bars
from bench.system import ROOT, TOKEN_PREFIX, System, accounts, memory_mib, percentile, system
from cli.client import Access, Client
from sandbox.kubernetes.__main__ import ClusterOptions, running_cluster
from tests.cluster.platform import install
from workers.cluster.client import connect
from workers.cluster.watch import list_and_watch

CREATE = """
mutation ($name: String!) { createStore(input: {name: $name, engine: WOOCOMMERCE}) {
  store { id } userErrors { message }
} }
"""
EVENTS = "subscription { accountEvents { type status } }"
CLIENTS = 16
"""Concurrent calls of createStore."""


@dataclass
class Run:
    """One way to create stores, and its cost."""

    client: str
    stores: int
    existing: int
    """How many stores existed before."""
    seconds: float
    requests: float | None = None
    kib: float | None = None
    """Network traffic with the API server, per store."""
    cpu: float | None = None
    """CPU seconds of our processes, per store."""

    @property
    def rate(self) -> float:
        return self.stores / self.seconds


@contextmanager
def cluster() -> Iterator[tuple[Path, Path]]:
    """A new control plane with roles and admission policy. Yields the kubeconfigs of administrator and worker."""
    with (
        tempfile.TemporaryDirectory(prefix="storefleet-bench-") as folder,
        running_cluster(Path(folder, "k"), ClusterOptions(nodes=5)) as plane,
    ):
        os.environ["STOREFLEET_TEST_KUBECONFIG"] = str(plane.kubeconfig)
        created = install(Path(folder))
        yield created.admin, created.account


def report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def create(instance: System, stores: int) -> float:
    """Create stores. Returns the seconds from the first createStore until the last store is READY."""
    connection = await asyncpg.connect(instance.database_url)
    limit = asyncio.Semaphore(CLIENTS)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as session:
        client = Client(session, Access(instance.url, f"{TOKEN_PREFIX}1"))

        async def one(number: int) -> None:
            async with limit:
                answer = await client.execute(CREATE, {"name": f"Many {number}"})
                assert not answer["createStore"]["userErrors"]

        started = time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(stores)))
        for pause in itertools.repeat(0.2):
            cause = await connection.fetchval("SELECT cause FROM stores WHERE status = 'FAILED' LIMIT 1")
            assert cause is None, cause
            if not await connection.fetchval("SELECT 1 FROM stores WHERE status <> 'READY' LIMIT 1"):
                break
            await asyncio.sleep(pause)
        seconds = time.perf_counter() - started
    await connection.close()
    return seconds


def requests(instance: System) -> float:
    """How many requests the workers have sent to the API server."""
    total = 0.0
    for port in instance.metrics:
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        total += sum(float(n) for n in re.findall(r"^storefleet_cluster_requests_total\{.*\} (\S+)$", text, re.M))
    return total


def kib_on_wire(instance: System, kubeconfig: Path) -> float:
    """Traffic in KiB between the workers and the API server, as the kernel counts it for open connections."""
    port = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["server"].rpartition(":")[2]
    command = ["ss", "-tinpH", f"dport = :{port}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pids = {f"pid={child.pid}," for child in instance.workers}
    blocks = re.split(r"\n(?=\S)", text)
    ours = [block for block in blocks if any(pid in block for pid in pids)]
    return sum(int(n) for block in ours for n in re.findall(r"bytes_(?:sent|received):(\d+)", block)) / 1024


def cpu(instance: System) -> float:
    """CPU seconds of API and workers so far."""
    times = [psutil.Process(child.pid).cpu_times() for child in (instance.api, *instance.workers)]
    return float(sum(item.user + item.system for item in times))


def storefleet(instance: System, kubeconfig: Path, stores: int, existing: int) -> Run:
    requests_before, kib_before, cpu_before = requests(instance), kib_on_wire(instance, kubeconfig), cpu(instance)
    seconds = uvloop.run(create(instance, stores))
    client = f"Storefleet, {len(instance.workers)} worker{'s' * (len(instance.workers) > 1)}"
    return Run(
        client,
        stores,
        existing,
        seconds,
        (requests(instance) - requests_before) / stores,
        (kib_on_wire(instance, kubeconfig) - kib_before) / stores,
        (cpu(instance) - cpu_before) / stores,
    )


async def latency(instance: System, admin: Path, stores: int) -> list[float]:
    """Milliseconds from the success of the proof's pod, as our watch sees it, to READY at a subscriber."""
    succeeded, ready = asyncio.Queue[float](), asyncio.Queue[float]()
    seen: set[str] = set()

    def on_event(_change: str, item: dict[str, object]) -> None:
        metadata, status = item["metadata"], item["status"]
        assert isinstance(metadata, dict)
        assert isinstance(status, dict)
        if status.get("phase") == "Succeeded" and metadata["uid"] not in seen:
            seen.add(metadata["uid"])
            succeeded.put_nowait(time.perf_counter())

    async with aiohttp.ClientSession() as session, connect(admin) as watching:
        client = Client(session, Access(instance.url, f"{TOKEN_PREFIX}1"))

        async def subscribe() -> None:
            async for data in client.subscribe(EVENTS, {}):
                event = data["accountEvents"]
                if (event["type"], event["status"]) == ("STATUS", "READY"):
                    ready.put_nowait(time.perf_counter())

        proofs = "app.kubernetes.io/component=proof"
        tasks = [
            asyncio.create_task(
                list_and_watch(watching, "Pod", proofs, on_list=lambda _items: None, on_event=on_event)
            ),
            asyncio.create_task(subscribe()),
        ]
        await asyncio.sleep(1)
        took = []
        for number in range(stores):
            await client.execute(CREATE, {"name": f"Latency {number}"})
            started = await asyncio.wait_for(succeeded.get(), 60)
            took.append((await asyncio.wait_for(ready.get(), 60) - started) * 1000)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return took


def row(what: str, figure: str) -> None:
    print(f"| {what} | {figure} |", flush=True)


def measure(stores: int, helm: int, most: int, written: Path | None) -> list[Run]:
    runs: list[Run] = []

    def record(run: Run) -> None:
        runs.append(run)
        if written:  # after each run, so that a later failure doesn't lose results
            written.write_text(json.dumps([asdict(run) for run in runs], indent=1))
        report(
            f"{run.client}: {run.stores} stores ({run.existing} existing), {run.seconds:.1f} s, {run.rate:.2f} a second"
        )

    with cluster() as (admin, _):
        record(Run("bare client", stores, 0, uvloop.run(bare_client(admin, stores))))
    with cluster() as (admin, _):
        record(Run("helm install, 8 at a time", helm, 0, helm_install_loop(admin, helm, report)))
    for workers in (1, 2):
        with cluster() as (admin, account), system(workers, account) as instance:
            uvloop.run(accounts(instance.database_url, 2))
            if workers == 1:
                took = uvloop.run(latency(instance, admin, 50))
                figures = f"{percentile(took, 0.5):.0f} / {percentile(took, 0.99):.0f} ms"
                row("proof's pod succeeded → READY at the subscriber, p50 / p99 (50, one at a time)", figures)
            record(storefleet(instance, account, 100, 50 if workers == 1 else 0))
            record(storefleet(instance, account, stores, 150 if workers == 1 else 100))
            measure_at_rest(instance, workers)
            if workers == 2 and most > stores + 100:
                record(storefleet(instance, account, most - stores - 100, stores + 100))
    return runs


def measure_at_rest(instance: System, workers: int) -> None:
    """Measure the cost of stores that don't change."""
    time.sleep(20)
    requests_before, cpu_before = requests(instance), cpu(instance)
    time.sleep(60)
    row(f"at rest, {workers} worker(s): requests to the API server a minute", f"{requests(instance) - requests_before:.0f}")
    row(f"at rest, {workers} worker(s): CPU of API and workers a minute", f"{cpu(instance) - cpu_before:.1f} s")
    used = ", ".join(f"{memory_mib(child):.0f}" for child in (instance.api, *instance.workers))
    row("memory of the API and each worker then (USS)", f"{used} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kubernetes", description=__doc__)
    parser.add_argument("--stores", type=int, default=1000)
    parser.add_argument("--helm", type=int, default=100, help="number of stores for helm, which is slow")
    parser.add_argument("--most", type=int, default=2000, help="number of stores at the end")
    parser.add_argument("--json", type=Path, help="file for the results")
    parser.add_argument("--plot", type=Path, help="file for a bar chart, as SVG")
    options = parser.parse_args()
    if shutil.which("ss") is None:
        sys.exit("counting bytes needs ss (Debian: apt-get install iproute2)")
    commit = ["git", "rev-parse", "--short", "HEAD"]
    commit_id = subprocess.run(commit, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, commit {commit_id}\n")
    print("| what | figure |\n| --- | --- |", flush=True)
    runs = measure(options.stores, options.helm, options.most, options.json)
    print("\n| client | stores | existing | seconds | stores/s | requests a store | KiB a store | CPU s a store |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for run in runs:
        rest = (f"{run.requests:.0f}", f"{run.kib:.0f}", f"{run.cpu:.2f}") if run.requests else ("", "", "")
        figures = (run.client, run.stores, run.existing, f"{run.seconds:.1f}", f"{run.rate:.2f}", *rest)
        print(f"| {' | '.join(map(str, figures))} |")
    if options.plot:
        rows = [(f"{run.client}, {run.stores} stores, {run.existing} existing", run.rate) for run in runs]
        options.plot.write_text(bars("Stores from request to sale on one API server", "stores/s", rows))


if __name__ == "__main__":
    main()
