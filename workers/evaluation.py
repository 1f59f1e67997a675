"""Evaluates a snapshot of the namespace for the store's row. Pure functions: no database, no cluster.

Each function changes the rows that it is given and returns what to do next. The caller commits the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from stores import transitions
from stores.engines import Engine, EngineStep
from stores.events import EventDraft
from stores.models import Step, Store
from stores.plans import has_larger_plan
from stores.status import Health, Status, StepStatus
from stores.steps import PROOF, start_step, step_title, succeed_step
from stores.texts import text
from workers import password_rotation
from workers.diagnostics import find_full_uploads, find_problem, has_config_error
from workers.engines.labels import CRON
from workers.problems import Problem, Remedies, last_log_line
from workers.receipt import parse_receipt
from workers.snapshot import JobOutcome, Snapshot, attempt_label, component, desired_replicas

JOB_COMPONENTS = ("install", "proof", password_rotation.ROTATION_COMPONENT)
REPORT_AFTER = timedelta(seconds=3)
"""A problem is reported when it has lasted this long."""
SLOW_STEP_AFTER = timedelta(seconds=10)
"""When a step has taken this long, the namespace's warning Events are read too."""
POLL_INTERVAL = timedelta(seconds=30)
"""A store in progress is reconciled at least this often, even if the informer reports nothing."""

CRON_INTERVAL = timedelta(minutes=1)
"""How often the last run of the CronJob is read while it says that a disk is full."""


@dataclass
class Evaluation:
    """What to record, and what to do next."""

    drafts: list[EventDraft] = field(default_factory=list)
    requeue_after: timedelta | None = None
    """None: only the slow resync is due."""
    create_proof: bool = False
    """Create the proof Job, unless `jobs_to_delete` have to be deleted first."""
    reapply: bool = False
    """One of our objects is missing in the cluster."""
    jobs_to_delete: list[str] = field(default_factory=list)
    """Names of Jobs that can be deleted."""


@dataclass(frozen=True)
class Timeouts:
    """Progress deadlines: how long a store may wait before it is FAILED."""

    problem: timedelta
    """For a problem that may pass by itself."""
    step: timedelta
    """For one step."""


def install_job_name(store: Store) -> str:
    """The name contains the spec's hash, because the template of a Job is immutable."""
    return f"install-{(store.spec_hash or '')[:8]}"


def proof_job_name(store: Store) -> str:
    """Another Job for each spec and attempt."""
    return f"proof-{(store.spec_hash or '')[:8]}-{store.attempt}"


def evaluate_provisioning(
    store: Store,
    steps: Sequence[Step],
    engine: Engine,
    snapshot: Snapshot,
    now: datetime,
    timeouts: Timeouts,
    *,
    applied: bool,
) -> Evaluation:
    """Record the steps that ended, start the next one and say what it waits for. After the last step: READY.

    `applied`: all manifests were applied just before the snapshot.
    """
    evaluation = Evaluation(requeue_after=POLL_INTERVAL, jobs_to_delete=_outdated_proofs(store, snapshot))
    problem = find_problem(snapshot, exclude=(CRON, password_rotation.ROTATION_COMPONENT), remedies=remedies(store))
    evaluation.reapply = not applied and has_config_error(snapshot)
    receipt: dict[str, Any] = {}
    for step in (step for step in steps if step.status != StepStatus.SUCCEEDED):
        outcome = _step_outcome(store, step, engine, snapshot, evaluation)
        if step.name == PROOF and outcome.state == "succeeded":
            receipt = parse_receipt(outcome.message) or {}
            outcome = outcome if receipt else JobOutcome("failed", text("reason.no_receipt"))
        if outcome.state == "failed":
            reason = last_log_line(outcome.message) or text("reason.none_from_job")
            cause = text("cause.step_failed", title=step_title(step, engine), reason=reason)
            return _failed(store, steps, now, cause, evaluation.drafts)
        if outcome.state == "running":
            record_problem(store, problem, now)
            reported = problem if _is_reportable(store, now, timeouts) else None
            evaluation.drafts += start_step(step, now, engine, reported)
            if not evaluation.reapply and _may_create_proof_early(store, step, engine, snapshot):
                evaluation.create_proof = (
                    evaluation.create_proof or _job_outcome(store, proof_job_name(store), snapshot) is None
                )
            evaluation.create_proof = evaluation.create_proof and not evaluation.jobs_to_delete
            if cause_of_failure := exceeded_deadline(store, step, now, timeouts):
                return _failed(store, steps, now, cause_of_failure, evaluation.drafts)
            evaluation.requeue_after = _time_until_next_check(store, step, now, timeouts)
            return evaluation
        evaluation.drafts += start_step(step, now, engine)
        evaluation.drafts += succeed_step(step, now, steps, engine)
    evaluation.drafts += transitions.mark_ready(store, now, receipt)
    evaluation.requeue_after, evaluation.jobs_to_delete = None, jobs_to_delete(store, snapshot)
    return evaluation


def _failed(store: Store, steps: Sequence[Step], now: datetime, cause: str, drafts: Sequence[EventDraft]) -> Evaluation:
    failed = [*drafts, *transitions.mark_failed(store, steps, now, cause)]
    return Evaluation(failed, requeue_after=requeue_after_failure(store))


def requeue_after_failure(store: Store) -> timedelta | None:
    """The health of a FAILED update is checked at once: the pods from before it may still serve the shop."""
    return timedelta(0) if store.failed_in == Status.UPDATING else None


def remedies(store: Store) -> Remedies:
    """What the owner can do for the store, now or when it becomes FAILED."""
    return Remedies(retry=store.status != Status.READY, larger_plan=has_larger_plan(store.plan))


def _step_outcome(store: Store, step: Step, engine: Engine, snapshot: Snapshot, evaluation: Evaluation) -> JobOutcome:
    if step.name == PROOF:
        outcome = _job_outcome(store, proof_job_name(store), snapshot)
        evaluation.create_proof = evaluation.create_proof or outcome is None
        return outcome or JobOutcome("running")
    wait = next(item for item in engine.steps if item.name == step.name)
    if wait.kind == "Job":
        outcome = _job_outcome(store, install_job_name(store), snapshot)
        evaluation.reapply = evaluation.reapply or outcome is None
        return outcome or JobOutcome("running")
    evaluation.reapply = evaluation.reapply or (wait.kind, wait.object) not in snapshot.workloads
    return JobOutcome("succeeded" if snapshot.is_ready(wait.kind, wait.object) else "running")


def _outdated_proofs(store: Store, snapshot: Snapshot) -> list[str]:
    """Running proof Jobs of another attempt or spec. They may still wait for the shop, and would buy as well."""
    proofs = [
        name for name, job in snapshot.jobs.items() if component(job) == "proof" and name != proof_job_name(store)
    ]
    return [name for name in proofs if snapshot.job_outcome(name).state == "running"]


def _may_create_proof_early(store: Store, step: Step, engine: Engine, snapshot: Snapshot) -> bool:
    """Whether the proof Job may be created while the install Job runs, and after it.

    The proof Job waits inside its pod, so the pod has started when the shop opens. Not where the old shop may still
    answer: after a change, at a retry, or while pods of an older template run.
    """
    names = [item.name for item in engine.steps]
    first = next((number for number, item in enumerate(engine.steps) if item.kind == "Job"), None)
    if first is None or step.name not in names[first:] or store.ready_at is not None or store.attempt > 1:
        return False
    return all(snapshot.is_up_to_date(item.kind, item.object) for item in _workload_steps(engine))


def _job_outcome(store: Store, name: str, snapshot: Snapshot) -> JobOutcome | None:
    """None: there is no such Job, or it belongs to another attempt."""
    job = snapshot.jobs.get(name)
    if job is None or attempt_label(job) != str(store.attempt):
        return None
    return snapshot.job_outcome(name)


def record_problem(store: Store, problem: str | None, now: datetime) -> None:
    """Store the problem and since when it lasts. None: the problem has passed."""
    store.trouble_since = None if problem is None else store.trouble_since or now
    store.trouble = problem


def exceeded_deadline(store: Store, step: Step | None, now: datetime, timeouts: Timeouts) -> str | None:
    """The cause of failure when a deadline has passed, else None."""
    if store.trouble_since is not None and now - store.trouble_since >= timeouts.problem:
        return store.trouble
    if step is not None and step.started_at is not None and now - step.started_at >= timeouts.step:
        return text("cause.step_timeout", seconds=f"{timeouts.step.total_seconds():g}")
    return None


def _is_reportable(store: Store, now: datetime, timeouts: Timeouts) -> bool:
    """Many problems pass within a moment, for example a volume that is still being provisioned."""
    return store.trouble_since is not None and now - store.trouble_since >= min(REPORT_AFTER, timeouts.problem)


def is_step_slow(steps: Sequence[Step], now: datetime) -> bool:
    """Whether the current step has taken longer than SLOW_STEP_AFTER."""
    current = next((step for step in steps if step.status != StepStatus.SUCCEEDED), None)
    return current is not None and current.started_at is not None and now - current.started_at >= SLOW_STEP_AFTER


def is_healthy(store: Store, engine: Engine, snapshot: Snapshot) -> bool:
    """Whether all workloads are ready and have no problem."""
    return _health(store, engine, snapshot)[0] == Health.HEALTHY


def _time_until_next_check(store: Store, step: Step, now: datetime, timeouts: Timeouts) -> timedelta:
    delays = [POLL_INTERVAL, (step.started_at or now) + timeouts.step - now]
    if not is_step_slow([step], now):
        delays.append((step.started_at or now) + SLOW_STEP_AFTER - now)
    if store.trouble_since is not None:
        delays.append(store.trouble_since + timeouts.problem - now)
        if not _is_reportable(store, now, timeouts):
            delays.append(store.trouble_since + REPORT_AFTER - now)
    return max(min(delays), timedelta(milliseconds=50))


def evaluate_ready(
    store: Store, engine: Engine, snapshot: Snapshot, now: datetime, claim_warning: str | None, *, applied: bool
) -> Evaluation:
    """The health of a READY store or a FAILED update, and whether objects are missing.

    `claim_warning`: a volume claim is being deleted, so the store will fail when its pod ends. None: no such claim.
    """
    evaluation = Evaluation()
    missing = [step for step in _workload_steps(engine) if (step.kind, step.object) not in snapshot.workloads]
    evaluation.reapply = not applied and (bool(missing) or has_config_error(snapshot))
    state, cause = _health(store, engine, snapshot)
    if state == Health.HEALTHY and claim_warning is not None:
        state, cause = Health.DEGRADED, claim_warning
    if state == Health.HEALTHY and (full := find_full_uploads(snapshot, remedies(store))) is not None:
        state, cause = Health.DEGRADED, full
        evaluation.requeue_after = CRON_INTERVAL  # the next run of the CronJob that succeeds doesn't requeue the store
    evaluation.drafts += transitions.set_health(store, now, state, cause)
    return evaluation


def evaluate_suspension(
    store: Store, steps: Sequence[Step], snapshot: Snapshot, now: datetime, timeouts: Timeouts, *, applied: bool
) -> Evaluation:
    """SUSPENDED when all workloads are scaled to zero and no pod runs; FAILED when that exceeds `timeouts.step`."""
    scaled_up = {component(item) for item in snapshot.workloads.values() if desired_replicas(item)}
    evaluation = Evaluation(reapply=not applied and bool(scaled_up))
    remaining = sorted(scaled_up | {component(pod) for pod in snapshot.unfinished_pods})
    if store.status == Status.SUSPENDED:
        store.cause = None
    elif not remaining:
        evaluation.drafts += transitions.mark_suspended(store)
    else:
        record_problem(store, text("cause.pods_not_stopped", components=", ".join(remaining)), now)
        remaining_time = (store.trouble_since or now) + timeouts.step - now
        if remaining_time <= timedelta(0):
            cause = Problem(store.trouble or "", text("remedy.tell_operator"), may_pass=True).text()
            return Evaluation([*transitions.mark_failed(store, steps, now, cause)])
        evaluation.requeue_after = min(POLL_INTERVAL, remaining_time)
    return evaluation


def _workload_steps(engine: Engine) -> list[EngineStep]:
    return [step for step in engine.steps if step.kind != "Job"]


def jobs_to_delete(store: Store, snapshot: Snapshot) -> list[str]:
    """Our Jobs that nothing waits for any more. Kubernetes deletes the Jobs of a CronJob."""
    awaited = password_rotation.rotation_job_name(store)
    return [name for name, job in snapshot.jobs.items() if component(job) in JOB_COMPONENTS and name != awaited]


def _health(store: Store, engine: Engine, snapshot: Snapshot) -> tuple[Health, str | None]:
    problem = find_problem(snapshot, exclude=(CRON, *JOB_COMPONENTS), remedies=remedies(store))
    worst = (Health.DEGRADED, problem) if problem is not None else (Health.HEALTHY, None)
    for step in _workload_steps(engine):
        item = snapshot.workloads.get((step.kind, step.object))
        ready = item.get("status", {}).get("readyReplicas", 0) if item else 0
        if ready == 0 and step.object in engine.essential:
            return Health.DOWN, problem or text("cause.no_pod_ready", component=step.object)
        if item is None or ready < desired_replicas(item):
            worst = (Health.DEGRADED, problem or text("cause.not_all_pods_ready", component=step.object))
    return worst
