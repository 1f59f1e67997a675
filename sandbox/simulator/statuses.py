"""Timestamps and conditions."""

from datetime import UTC, datetime, timedelta

from sandbox.simulator.kinds import Manifest


def timestamp(later: float = 0.0) -> str:
    """The time now, or that many seconds later, in the format of the API."""
    return (datetime.now(UTC) + timedelta(seconds=later)).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(type_: str, *, status: bool, reason: str = "", message: str = "") -> Manifest:
    row = {"type": type_, "status": str(status)}
    return {**row, **({"reason": reason} if reason else {}), **({"message": message} if message else {})}


def merge_conditions(old: list[Manifest] | None, *rows: Manifest) -> list[Manifest]:
    """The old conditions updated with `rows`; lastTransitionTime changes only with the status."""
    known = {row["type"]: row for row in old or []}
    for row in rows:
        before = known.get(row["type"])
        same = before is not None and before["status"] == row["status"]
        since = before["lastTransitionTime"] if before is not None and same else timestamp()
        known[row["type"]] = {**row, "lastTransitionTime": since}
    return list(known.values())


def has_condition(manifest: Manifest, type_: str, status: str = "True") -> bool:
    """Whether the object has that condition with that status."""
    rows = (manifest.get("status") or {}).get("conditions") or []
    return any(row["type"] == type_ and row["status"] == status for row in rows)
