"""A store on its way and what a look at its namespace may find, for the tests of the judge."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from stores.engines import Engine, EngineStep, Manifest
from stores.models import Step, Store
from stores.status import Status, StepStatus
from stores.steps import CREDENTIALS, ISOLATION, NAMESPACE, new_steps
from tests.unit.cluster_objects import job, pod, terminated, view, waiting, workload
from workers.judge import Patience, Verdict, attend, climb

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
PATIENCE = Patience(trouble=timedelta(seconds=60), step=timedelta(seconds=600))
INSTALL, PROOF_JOB = "install-abcdef12", "proof-abcdef12-1"
RECEIPT = {"simulated": False, "totalMs": 812, "steps": [{"name": "cart", "ms": 300}, {"name": "order", "ms": 512}]}
ENGINE = Engine(
    name="shop",
    title="A shop",
    releases=("1",),
    steps=(
        EngineStep("database", "Starting the database", "StatefulSet", "database"),
        EngineStep("install", "Installing it", "Job", "install"),
        EngineStep("web", "Opening the shop", "Deployment", "web"),
    ),
    essential=("web",),
)
DATABASE, WEB = workload("StatefulSet", "database"), workload("Deployment", "web")
INSTALLED = job(INSTALL, "install", ended="Complete")
BOUGHT = pod("proof", job=PROOF_JOB, phase="Succeeded", containerStatuses=[terminated(0, json.dumps(RECEIPT))])
CRASHING = pod("database", containerStatuses=[waiting("CrashLoopBackOff", ended={"exitCode": 1, "message": "corrupt"})])
CRASHES = "The database container keeps crashing (exit code 1). corrupt. See its logs, then retry."


class Shop:
    """A store in PROVISIONING whose namespace is there, with its steps."""

    def __init__(self, **row: Any) -> None:
        given = {"status": Status.PROVISIONING, "spec_hash": "abcdef1234", "attempt": 1, "generation": 1} | row
        self.store = Store(name="Fig & Olive", **given)
        self.steps = new_steps(self.store, ENGINE)
        for step in self.steps:
            step.status = StepStatus.SUCCEEDED if step.name in (CREDENTIALS, NAMESPACE, ISOLATION) else "PENDING"

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def climb(
        self, *found: Manifest, seconds: float = 0, patience: Patience = PATIENCE, applied: bool = False
    ) -> Verdict:
        """`seconds` after NOW."""
        at = NOW + timedelta(seconds=seconds)
        return climb(self.store, self.steps, ENGINE, view(*found), at, patience, applied=applied)

    def attend(self, *found: Manifest, threat: str | None = None, applied: bool = False) -> Verdict:
        return attend(self.store, ENGINE, view(*found), NOW, threat, applied=applied)


def told(verdict: Verdict) -> list[str]:
    return [f"{news.type} {news.message}" for news in verdict.news]
