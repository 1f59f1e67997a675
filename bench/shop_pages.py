"""`python -m bench.shop_pages --woocommerce-zip FILE`: a WooCommerce shop in containers with half a CPU (root).

For each kind of page: the time to the first byte, and the CPU time of the web server and of the database. With
`--before CLONE`, the shop of an earlier commit's image in turns with this one's. Then on what a page spends its time,
and visits that the page cache answers or not.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.measured_shop import PAGES, Measured, memory, running_shop
from bench.shop_visits import Replay
from bench.system import ROOT
from bench.tables import report, row, table
from sandbox.images import build_images
from tests.node.shops import HOST

TIMES = {"/var/www/html/wp-content/mu-plugins/times.php": Path(__file__).with_name("shop_times.php")}
"""Loaded after the image's must-use plugin."""
MOMENTS = ("WordPress", "plugins_loaded", "init", "admin_init", "end")


def measure_pages(shops: Mapping[str, Measured], rounds: int) -> None:
    """Visits each page of all shops in turns; the first two visits aren't counted."""
    for number in range(rounds + 2):
        for name in PAGES:
            order = list(shops.values())
            for shop in order if number % 2 else order[::-1]:
                shop.visit(name)
    for shop in shops.values():
        shop.took = {name: took[2:] for name, took in shop.took.items()}
    table("page", *(f"{name}: first byte, CPU of web, of the database" for name in shops))
    for name in PAGES:
        figures = []
        for shop in shops.values():
            first, web, database = (median(values) for values in zip(*shop.took[name], strict=True))
            figures.append(f"{first:.0f}, {web:.0f}, {database:.0f} ms")
        row(name, *figures)
    row(
        "memory of web and of the database",
        *(f"{memory(shop.web):.0f}, {memory(shop.shop.database.container):.0f} MiB" for shop in shops.values()),
    )


def measure_phases(shop: Measured, rounds: int) -> None:
    """On what each page spends its time: milliseconds since the request came."""
    file = shop.shop.uploads / ".bench-times"
    table("page", "WordPress", "plugins", "init", "admin_init", "end", "queries", "time of queries")
    for name, path in PAGES.items():
        file.unlink(missing_ok=True)
        for _ in range(rounds):
            assert shop.send(path, **shop.headers[name], **{"X-Bench-Times": "1"}).status == 200
        found = [json.loads(line) for line in file.read_text().splitlines()]
        middle = {key: median(times[key] for times in found if key in times) for key in found[0]}
        moments = [f"{middle[key]:.0f}" if key in middle else "" for key in MOMENTS]
        row(name, *moments, f"{middle['queries']:.0f}", f"{middle['in queries']:.0f}")


def measure_in_browser(shop: Measured, pictures: Path | None) -> None:
    """Pages as a browser loads them: on a desktop, and on a phone with a slow network and a quarter of the CPU."""
    argv = ["nsenter", "-t", str(shop.web.pid), "-n", "--", sys.executable, "-m", "bench.shop_vitals", f"http://{HOST}"]
    argv += ["--pictures", str(pictures)] if pictures else []
    done = subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    table("page", "device", "first byte", "first paint", "largest paint", "blocked", "layout shift", "requests", "kB")
    for found in json.loads(done.stdout):
        times = [f"{found[name]:.0f} ms" for name in ("first_byte", "first_paint", "largest_paint", "blocking")]
        rest = (f"{found['shift']:.3f}", found["requests"], f"{found['kilobytes']:.0f}")
        row(found["page"], found["device"], *times, *rest)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.shop_pages", description=__doc__)
    parser.add_argument("--woocommerce-zip", type=Path, required=True, help="WooCommerce's plugin as a zip file")
    parser.add_argument("--before", type=Path, help="a clone of an earlier commit")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the shop's pages")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=15, help="of visits")
    options = parser.parse_args()
    names, files = ("mariadb", "woocommerce"), {"WOOCOMMERCE_ZIP": options.woocommerce_zip.resolve()}
    archives = {"now": list(build_images(names, report, files=files))}
    if options.before:
        archives["before"] = build_images_of(options.before, names, files)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="storefleet-bench-")))
        folder.chmod(0o755)
        shops = {name: stack.enter_context(running_shop(folder / name, made, TIMES)) for name, made in archives.items()}
        measure_in_browser(shops["now"], options.pictures)
        measure_pages(shops, options.rounds)
        measure_phases(shops["now"], options.rounds)
        Replay(shops["now"], options.minutes * 60).run()


def build_images_of(clone: Path, names: Sequence[str], files: Mapping[str, Path]) -> list[Path]:
    """Archives of the images of another clone, built by its own code."""
    argv = [sys.executable, "-m", "sandbox.images", *names, "--bases", "debian", "--archives"]
    argv += [word for name, path in files.items() for word in ("--file", f"{name}={path}")]
    done = subprocess.run(argv, cwd=clone, check=True, stdout=subprocess.PIPE, text=True)
    return [Path(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    main()
