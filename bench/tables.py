"""What a measurement prints: tables in Markdown on standard output, how it goes on standard error."""

import statistics
import sys
from typing import Any

from bench.stories import Story, medians
from bench.system import percentile

JSON = dict[str, Any]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def table(first: str, *columns: str) -> None:
    print(f"\n| {first} | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}")


def row(what: str, *figures: object) -> None:
    print(f"| {what} | {' | '.join(map(str, figures))} |", flush=True)


def spread(values: list[float], unit: str = "s", digits: int = 1) -> str:
    """Median, and from the least to the most."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f} to {high:.{digits}f})"


def told(stories: list[Story]) -> None:
    """The tables of stores that were made one after the other."""
    table("createStore → READY", "seconds", "share")
    ready = [story.ready for story in stories]
    row(f"all of it ({len(stories)}, one after the other)", spread(ready), "")
    for step in stories[0].steps:
        took = [story.steps[step] for story in stories]
        share = statistics.median(story.steps[step] / story.ready for story in stories)
        row(f"step {step}", spread(took, digits=2), f"{share:.0%}")
    rest = [story.ready - sum(story.steps.values()) for story in stories]
    row("between the steps, and on both ways to the client", spread(rest, digits=2), "")
    for what, took in (
        ("proof's pod seen to end → READY at the subscriber", [story.proof_told * 1000 for story in stories]),
        ("database's pod seen ready → told to the subscriber", [story.database_told * 1000 for story in stories]),
    ):
        row(f"{what}, p50 / most", f"{percentile(took, 0.5):.0f} / {max(took):.0f} ms", "")
    table("moment (median, from the call of createStore)", "after")
    for name, moment in sorted(medians([story.moments for story in stories]).items(), key=lambda item: item[1]):
        row(name, f"{moment:.2f} s")
    table("the proof's receipt", "milliseconds")
    for name, took_ms in medians([{key: float(ms) for key, ms in story.receipt.items()} for story in stories]).items():
        row(name, f"{took_ms:.0f}")


def show_usage(what: str, parts: JSON) -> None:
    table(what, "working set", "CPU")
    for part, figures in parts.items():
        row(part, f"{figures['memory']:.0f} MiB", f"{figures['cpu']:.0f} m")
    row("both", *(f"{sum(figures[name] for figures in parts.values()):.0f}" for name in ("memory", "cpu")))
