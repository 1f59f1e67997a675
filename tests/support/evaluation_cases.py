"""A store in progress and the objects of its namespace, for the tests of workers/evaluation.py."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from stores.engines import Engine, EngineStep, Manifest
from stores.models import Step, Store
from stores.status import Status, StepStatus
from stores.steps import CREDENTIALS, ISOLATION, NAMESPACE, step_names
from tests.support.cluster_objects import job, pod, snapshot, terminated, waiting, workload
from workers.evaluation import Evaluation, Timeouts, evaluate_provisioning, evaluate_ready

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
TIMEOUTS = Timeouts(problem=timedelta(seconds=60), step=timedelta(seconds=600))
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


class StoreCase:
    """A store in PROVISIONING with its steps; the namespace exists."""

    def __init__(self, **row: Any) -> None:
        columns = {
            "status": Status.PROVISIONING,
            "spec_hash": "abcdef1234",
            "attempt": 1,
            "generation": 1,
            "plan": "small",
        } | row
        self.store = Store(name="Fig & Olive", **columns)
        self.steps = [Step(position=number, name=name) for number, name in enumerate(step_names(ENGINE), start=1)]
        for step in self.steps:
            step.status = StepStatus.SUCCEEDED if step.name in (CREDENTIALS, NAMESPACE, ISOLATION) else "PENDING"

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def provision(
        self, *items: Manifest, seconds: float = 0, timeouts: Timeouts = TIMEOUTS, applied: bool = False
    ) -> Evaluation:
        """`seconds` after NOW."""
        at = NOW + timedelta(seconds=seconds)
        return evaluate_provisioning(self.store, self.steps, ENGINE, snapshot(*items), at, timeouts, applied=applied)

    def check_ready(self, *items: Manifest, claim_warning: str | None = None, applied: bool = False) -> Evaluation:
        return evaluate_ready(self.store, ENGINE, snapshot(*items), NOW, claim_warning, applied=applied)


def event_texts(evaluation: Evaluation) -> list[str]:
    """`TYPE message` of each event."""
    return [f"{draft.type} {draft.message}" for draft in evaluation.drafts]
