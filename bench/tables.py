"""Output of measurements: Markdown tables on standard output, progress on standard error."""

import statistics
import sys
from typing import Any

from bench.store_timings import StoreTiming, medians
from bench.system import percentile

JSON = dict[str, Any]


def report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def table(first: str, *columns: str) -> None:
    print(f"\n| {first} | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}")


def row(what: str, *figures: object) -> None:
    print(f"| {what} | {' | '.join(map(str, figures))} |", flush=True)


def spread(values: list[float], unit: str = "s", digits: int = 1) -> str:
    """The median, with minimum and maximum."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f} to {high:.{digits}f})"


def print_timings(timings: list[StoreTiming]) -> None:
    """Print the tables of stores that were created one after the other."""
    table("createStore → READY", "seconds", "share")
    ready = [timing.ready for timing in timings]
    row(f"all of it ({len(timings)}, one after the other)", spread(ready), "")
    for step in timings[0].steps:
        took = [timing.steps[step] for timing in timings]
        share = statistics.median(timing.steps[step] / timing.ready for timing in timings)
        row(f"step {step}", spread(took, digits=2), f"{share:.0%}")
    rest = [timing.ready - sum(timing.steps.values()) for timing in timings]
    row("between the steps, and network to and from the client", spread(rest, digits=2), "")
    for what, took in (
        ("end of the proof's pod → READY at the subscriber", [timing.proof_latency * 1000 for timing in timings]),
        ("database's pod ready → step ended at the subscriber", [timing.database_latency * 1000 for timing in timings]),
    ):
        row(f"{what}, p50 / max", f"{percentile(took, 0.5):.0f} / {max(took):.0f} ms", "")
    table("moment (median, from the call of createStore)", "after")
    for name, moment in sorted(medians([timing.moments for timing in timings]).items(), key=lambda item: item[1]):
        row(name, f"{moment:.2f} s")
    table("the proof's receipt", "milliseconds")
    for name, took_ms in medians(
        [{key: float(ms) for key, ms in timing.receipt.items()} for timing in timings]
    ).items():
        row(name, f"{took_ms:.0f}")


def show_usage(what: str, parts: JSON) -> None:
    table(what, "working set", "CPU")
    for part, figures in parts.items():
        row(part, f"{figures['memory']:.0f} MiB", f"{figures['cpu']:.0f} m")
    row("both", *(f"{sum(figures[name] for figures in parts.values()):.0f}" for name in ("memory", "cpu")))
