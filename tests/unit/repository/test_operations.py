"""docs/OPERATIONS.md is right: its capacity table fits the plans, and its metrics are those of the processes."""

import importlib
import re
from pathlib import Path

from prometheus_client import REGISTRY

from stores.plans import PLANS, Plan, parse_quantity
from tests.support.rendered import render, templates

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "OPERATIONS.md").read_text()
NODE_CPU, NODE_MEMORY, NODE_PODS = 8 * 0.9, 32 * 2**30 * 0.9, 110
"""What the table calls a node, without the tenth that the system needs."""


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below that heading, without its header."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def requests(plan: Plan) -> tuple[float, float, int]:
    """CPU, bytes of memory and number of the pods that always run."""
    pods = [
        template["spec"]
        for template in templates(render(plan=plan.name))
        if template["spec"].get("restartPolicy", "Always") == "Always"
    ]
    found = [pod["containers"][0]["resources"]["requests"] for pod in pods]
    cpu, memory = (sum(parse_quantity(item[name]) for item in found) for name in ("cpu", "memory"))
    return cpu, memory, len(pods)


def test_the_capacity_table_fits_the_plans() -> None:
    expected = []
    for plan in PLANS.values():
        cpu, memory, pods = requests(plan)
        fitting = int(min(NODE_CPU / cpu, NODE_MEMORY / memory, NODE_PODS * 0.9 / pods))
        limits = f"{plan.cpu_cores:g} CPU, {plan.memory_mib:,} MiB"
        asked = f"{cpu:g} CPU, {memory / 2**20:,.0f} MiB"
        expected.append([plan.name, limits, asked, f"{plan.disk_gib} GiB", str(fitting)])
    assert rows("Capacity") == expected


def test_the_metrics_are_those_of_the_processes() -> None:
    for module in ("api.app", "workers.main"):
        importlib.import_module(module)
    names = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in REGISTRY.collect()
        if metric.name.startswith("storefleet_")
    }
    listed = [re.findall(r"`(\w+)", name)[0] for name, *_ in rows("Metrics")]
    assert sorted(listed) == sorted(names)
