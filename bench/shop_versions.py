"""`python -m bench.shop_versions --woocommerce-zip FILE --before CLONE`: images of two commits on a real node.

Creates stores with the image of this commit and of an earlier one, in turns (root). Then many visitors come to a
shop with this commit's image.
"""

import argparse
import asyncio
from pathlib import Path

import uvloop

from bench.concurrent_visitors import measure_concurrent_visitors
from bench.node import Bench, create_warm_store, pods, running_bench
from bench.shop_pages import build_images_of
from bench.store_timings import store_owner
from bench.tables import report, row, spread, table

IMAGE = "docker.io/storefleet/woocommerce:2026.11"
VERSIONS = ("now", "before")


async def compare(bench: Bench, before: Path, stores: int) -> None:
    """createStore → READY of both versions in turns."""
    ctr = bench.node.ctr
    for version, archive in zip(VERSIONS, (bench.archives["woocommerce"], before), strict=True):
        await asyncio.to_thread(ctr, "images", "import", str(archive))
        await asyncio.to_thread(ctr, "images", "tag", "--force", IMAGE, f"{IMAGE}-{version}")
    took: dict[str, list[float]] = {version: [] for version in VERSIONS}
    images: dict[str, set[str]] = {version: set() for version in VERSIONS}
    async with store_owner(bench.instance, bench.administrator) as owner:
        for number in range(stores + 1):
            for version in VERSIONS if number % 2 else VERSIONS[::-1]:
                await asyncio.to_thread(ctr, "images", "tag", "--force", f"{IMAGE}-{version}", IMAGE)
                created = await owner.create(f"Shop {number} {version}", "WOOCOMMERCE")
                timing = await owner.wait_ready(created)
                images[version].add((await pods(owner, created))["web"]["status"]["containerStatuses"][0]["imageID"])
                await owner.delete(created)
                report(f"{version}: READY after {timing.ready:.2f} s")
                took[version] += [timing.ready] if number else []  # the first one warms up caches
        assert images["now"].isdisjoint(images["before"]), images
        await asyncio.to_thread(ctr, "images", "tag", "--force", f"{IMAGE}-now", IMAGE)
        table(f"createStore → READY ({stores} each, in turns)", "seconds")
        for version in VERSIONS:
            row(version, spread(took[version], digits=2))
        created = await create_warm_store(owner, "WOOCOMMERCE")
        await measure_concurrent_visitors(owner, created, "WOOCOMMERCE", {})
        await owner.delete(created)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.shop_versions", description=__doc__)
    parser.add_argument("--woocommerce-zip", type=Path, required=True, help="WooCommerce's plugin as a zip file")
    parser.add_argument("--before", type=Path, required=True, help="a clone of an earlier commit")
    parser.add_argument("--stores", type=int, default=5, help="number of stores of each version")
    options = parser.parse_args()
    plugin = options.woocommerce_zip.resolve()
    [before] = build_images_of(options.before, ("woocommerce",), {"WOOCOMMERCE_ZIP": plugin})
    with running_bench(plugin) as bench:
        uvloop.run(compare(bench, before, options.stores))


if __name__ == "__main__":
    main()
