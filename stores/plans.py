"""What a store may use. Quantities are Kubernetes' (`m` is a thousandth of a CPU, `Mi` 2**20 bytes)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Limits of one store: its web and database containers, and its two disks."""

    name: str
    web_cpu: str
    web_memory: str
    database_cpu: str
    database_memory: str
    database_buffer_pool: str
    """InnoDB's buffer pool, about half the database's memory limit, in MySQL's notation."""
    database_disk: str
    uploads_disk: str


PLANS: dict[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan("small", "500m", "320Mi", "500m", "512Mi", "128M", "2Gi", "2Gi"),
        Plan("medium", "1", "640Mi", "1", "1Gi", "512M", "10Gi", "10Gi"),
        Plan("large", "2", "1280Mi", "2", "2Gi", "1G", "20Gi", "40Gi"),
    )
}
DEFAULT_PLAN = "small"
