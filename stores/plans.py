"""Plans: the resource limits of a store, as Kubernetes quantities (`m` is a thousandth of a CPU, `Mi` 2**20 bytes)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """The limits of the web and database containers, and the sizes of the two volumes."""

    name: str
    web_cpu: str
    web_memory: str
    database_cpu: str
    database_memory: str
    database_buffer_pool: str
    """InnoDB's buffer pool, about half the database's memory limit, in MySQL's notation."""
    database_disk: str
    uploads_disk: str

    @property
    def title(self) -> str:
        """For people."""
        return self.name.capitalize()

    @property
    def cpu_cores(self) -> float:
        """Both containers together."""
        return sum(parse_quantity(text) for text in (self.web_cpu, self.database_cpu))

    @property
    def memory_mib(self) -> int:
        """Both containers together."""
        return int(sum(parse_quantity(text) for text in (self.web_memory, self.database_memory)) / 2**20)

    @property
    def disk_gib(self) -> int:
        """Both volumes together."""
        return int(sum(parse_quantity(text) for text in (self.database_disk, self.uploads_disk)) / 2**30)

    def shrinks_disks_of(self, other: "Plan") -> bool:
        """Whether one of the two volumes is smaller than in the other plan."""
        pairs = ((self.database_disk, other.database_disk), (self.uploads_disk, other.uploads_disk))
        return any(parse_quantity(mine) < parse_quantity(theirs) for mine, theirs in pairs)


_UNITS = {"m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18} | {
    f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)
}


def parse_quantity(text: str) -> float:
    """A Kubernetes quantity: a number with a unit, such as `500m` or `2Gi`. Raises ValueError."""
    number = text.rstrip("".join(set("".join(_UNITS))))
    return float(number) * _UNITS[text[len(number) :]] if number != text else float(text)


PLANS: dict[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan("small", "500m", "320Mi", "500m", "512Mi", "128M", "2Gi", "2Gi"),
        Plan("medium", "1", "640Mi", "1", "1Gi", "512M", "10Gi", "10Gi"),
        Plan("large", "2", "1280Mi", "2", "2Gi", "1G", "20Gi", "40Gi"),
    )
}
DEFAULT_PLAN = "small"


def has_larger_plan(name: str) -> bool:
    """Whether there is a plan above this one."""
    return name != list(PLANS)[-1]
