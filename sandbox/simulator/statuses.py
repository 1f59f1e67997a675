"""Times and conditions, as statuses have them."""

from datetime import UTC, datetime, timedelta

from sandbox.simulator.kinds import Manifest


def stamp(later: float = 0.0) -> str:
    """Now, or so many seconds later, as the API writes it."""
    return (datetime.now(UTC) + timedelta(seconds=later)).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(type_: str, *, status: bool, reason: str = "", message: str = "") -> Manifest:
    row = {"type": type_, "status": str(status)}
    return {**row, **({"reason": reason} if reason else {}), **({"message": message} if message else {})}


def conditions(old: list[Manifest] | None, *rows: Manifest) -> list[Manifest]:
    """The old ones with these put in their places; when the status changed is kept as long as it doesn't."""
    known = {row["type"]: row for row in old or []}
    for row in rows:
        before = known.get(row["type"])
        same = before is not None and before["status"] == row["status"]
        since = before["lastTransitionTime"] if before is not None and same else stamp()
        known[row["type"]] = {**row, "lastTransitionTime": since}
    return list(known.values())


def has(manifest: Manifest, type_: str, status: str = "True") -> bool:
    """Whether that condition has that status."""
    rows = (manifest.get("status") or {}).get("conditions") or []
    return any(row["type"] == type_ and row["status"] == status for row in rows)
