"""What a look at the namespace means for the row: pure rules, no call to anything.

Each function changes the rows it is given and returns what has to happen next; the caller records it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from stores import progress
from stores import steps as way
from stores.engines import Engine, EngineStep
from stores.events import News
from stores.models import Step, Store
from stores.status import Health, StepStatus
from workers import rotation
from workers.engines.labels import CRON
from workers.troubles import find_trouble, lacks_configuration
from workers.view import Outcome, View, attempt_of, component, replicas
from workers.words import last_words

JOBS = ("install", "proof", rotation.COMPONENT)
TELL = timedelta(seconds=3)
"""Trouble that lasts as long is told."""
SLOW = timedelta(seconds=10)
"""A step that takes as long is looked into: the cluster's warnings are read."""
SAFETY = timedelta(seconds=30)
"""A store on its way is looked at this often even if the observer says nothing."""


@dataclass
class Verdict:
    """What to record, and what to do then."""

    news: list[News] = field(default_factory=list)
    look_again: timedelta | None = None
    """None: the store rests."""
    prove: bool = False
    """The proof Job is to be made; unless others have to go first (`tidy`)."""
    reapply: bool = False
    """Something of ours is missing in the cluster."""
    tidy: list[str] = field(default_factory=list)
    """Jobs that have been recorded and can go."""


@dataclass(frozen=True)
class Patience:
    """How long what may pass by itself may last."""

    trouble: timedelta
    step: timedelta


def install_name(store: Store) -> str:
    """A Job's template can't be changed: another spec is another Job."""
    return f"install-{(store.spec_hash or '')[:8]}"


def proof_name(store: Store) -> str:
    """Each attempt buys anew."""
    return f"proof-{(store.spec_hash or '')[:8]}-{store.attempt}"


def climb(
    store: Store,
    steps: Sequence[Step],
    engine: Engine,
    view: View,
    now: datetime,
    patience: Patience,
    *,
    applied: bool,
) -> Verdict:
    """On the way up: record the steps that ended, begin the next, and say what it waits for; after the last, READY.

    `applied`: everything was applied just before the look.
    """
    verdict = Verdict(look_again=SAFETY, tidy=_earlier_proofs(store, view))
    trouble = find_trouble(view, but_of=(CRON, rotation.COMPONENT))
    verdict.reapply = not applied and lacks_configuration(view)
    receipt: dict[str, Any] = {}
    for step in (step for step in steps if step.status != StepStatus.SUCCEEDED):
        outcome = _outcome(store, step, engine, view, verdict)
        if step.name == way.PROOF and outcome.state == "succeeded":
            receipt = read_receipt(outcome.message) or {}
            outcome = outcome if receipt else Outcome("failed", "It ended well but left no receipt.")
        if outcome.state == "failed":
            cause = f"The step {step.name} failed: {last_words(outcome.message) or 'its Job gave no reason.'}"
            return Verdict([*verdict.news, *progress.fail(store, steps, now, cause)])
        if outcome.state == "running":
            weigh(store, trouble, now)
            told = trouble if trouble and _lasts(store, now, patience) else f"{way.title(step, engine)}."
            verdict.news += way.start(step, now, told)
            if not verdict.reapply and _may_wait(store, step, engine, view):
                verdict.prove = verdict.prove or _of_job(store, proof_name(store), view) is None
            verdict.prove = verdict.prove and not verdict.tidy
            if late := overdue(store, step, now, patience):
                return Verdict([*verdict.news, *progress.fail(store, steps, now, late)])
            verdict.look_again = _until_overdue(store, step, now, patience)
            return verdict
        verdict.news += way.start(step, now, f"{way.title(step, engine)}.")
        verdict.news += way.succeed(step, now, steps)
    verdict.news += progress.ready(store, now, receipt)
    verdict.look_again, verdict.tidy = None, leftovers(store, view)
    return verdict


def _outcome(store: Store, step: Step, engine: Engine, view: View, verdict: Verdict) -> Outcome:
    if step.name == way.PROOF:
        return _of_job(store, proof_name(store), view) or _missing(verdict, "prove")
    wait = next(item for item in engine.steps if item.name == step.name)
    if wait.kind == "Job":
        return _of_job(store, install_name(store), view) or _missing(verdict, "reapply")
    if (wait.kind, wait.object) not in view.workloads:
        return _missing(verdict, "reapply")
    return Outcome("succeeded" if view.is_ready(wait.kind, wait.object) else "running")


def _earlier_proofs(store: Store, view: View) -> list[str]:
    """Of another attempt or spec, and not over: they may wait for the shop to open, and would buy beside this one's."""
    proofs = [name for name, job in view.jobs.items() if component(job) == "proof" and name != proof_name(store)]
    return [name for name in proofs if view.outcome(name).state == "running"]


def _may_wait(store: Store, step: Step, engine: Engine, view: View) -> bool:
    """Whether the proof can be made before its turn: while the Job that makes the shop is under way, and after.

    It then waits inside, and has started when the shop opens. Not where a shop may be open that is another than the
    one to be proven: after a change, at a retry, or while a workload's pods are of an older template.
    """
    names = [item.name for item in engine.steps]
    first = next((number for number, item in enumerate(engine.steps) if item.kind == "Job"), None)
    if first is None or step.name not in names[first:] or store.ready_at is not None or store.attempt > 1:
        return False
    return all(view.is_latest(item.kind, item.object) for item in _workloads(engine))


def _of_job(store: Store, name: str, view: View) -> Outcome | None:
    job = view.jobs.get(name)
    if job is None or attempt_of(job) != str(store.attempt):
        return None
    return view.outcome(name)


def _missing(verdict: Verdict, what: str) -> Outcome:
    setattr(verdict, what, True)
    return Outcome("running")


def weigh(store: Store, trouble: str | None, now: datetime) -> None:
    """Note trouble and since when, or that it passed."""
    store.trouble_since = None if trouble is None else store.trouble_since or now
    store.trouble = trouble


def overdue(store: Store, step: Step | None, now: datetime, patience: Patience) -> str | None:
    """Why waiting any longer makes no sense, or None."""
    if store.trouble_since is not None and now - store.trouble_since >= patience.trouble:
        return store.trouble
    if step is not None and step.started_at is not None and now - step.started_at >= patience.step:
        return f"The step {step.name} took longer than {patience.step.total_seconds():g} s. Retry, or see its pods."
    return None


def _lasts(store: Store, now: datetime, patience: Patience) -> bool:
    """Whether the trouble is worth telling: much passes within a moment, like a disk that is still being made."""
    return store.trouble_since is not None and now - store.trouble_since >= min(TELL, patience.trouble)


def is_slow(steps: Sequence[Step], now: datetime) -> bool:
    """Whether the step under way takes long enough to be looked into."""
    current = next((step for step in steps if step.status != StepStatus.SUCCEEDED), None)
    return current is not None and current.started_at is not None and now - current.started_at >= SLOW


def is_well(engine: Engine, view: View) -> bool:
    """Whether there is nothing to be looked into."""
    return _health(engine, view)[0] == Health.HEALTHY


def _until_overdue(store: Store, step: Step, now: datetime, patience: Patience) -> timedelta:
    ends = [SAFETY, (step.started_at or now) + patience.step - now]
    if not is_slow([step], now):
        ends.append((step.started_at or now) + SLOW - now)
    if store.trouble_since is not None:
        ends.append(store.trouble_since + patience.trouble - now)
        if not _lasts(store, now, patience):
            ends.append(store.trouble_since + TELL - now)
    return max(min(ends), timedelta(milliseconds=50))


def read_receipt(message: str) -> dict[str, Any] | None:
    """`{simulated, totalMs, steps: [{name, ms}]}` from a proof's termination message, or None if it isn't one."""
    try:
        given = json.loads(message)
        return {
            "simulated": given["simulated"] is not False,  # in doubt it wasn't a real purchase
            "totalMs": _milliseconds(given["totalMs"]),
            "steps": [_step_done(item) for item in given["steps"]],
        }
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _step_done(given: Any) -> dict[str, Any]:
    """Raises ValueError for a name that the database or a screen can't take."""
    name = str(given["name"])
    if not name.isprintable():
        raise ValueError
    return {"name": name, "ms": _milliseconds(given["ms"])}


def _milliseconds(given: Any) -> int:
    """Raises ValueError for what GraphQL's Int can't show."""
    number = int(given)
    if not 0 <= number < 2**31:
        raise ValueError
    return number


def attend(store: Store, engine: Engine, view: View, now: datetime, threat: str | None, *, applied: bool) -> Verdict:
    """READY: say how it is doing, and notice what is missing. `threat`: what will happen to it by itself."""
    verdict = Verdict()
    gone = [step for step in _workloads(engine) if (step.kind, step.object) not in view.workloads]
    verdict.reapply = not applied and (bool(gone) or lacks_configuration(view))
    state, cause = _health(engine, view)
    if state == Health.HEALTHY and threat is not None:
        state, cause = Health.DEGRADED, threat
    verdict.news += progress.health(store, now, state, cause)
    return verdict


def _workloads(engine: Engine) -> list[EngineStep]:
    return [step for step in engine.steps if step.kind != "Job"]


def leftovers(store: Store, view: View) -> list[str]:
    """The Jobs that we made, when nothing waits for them any more; cron's are its own."""
    waited_for = rotation.job_name(store)
    return [name for name, job in view.jobs.items() if component(job) in JOBS and name != waited_for]


def _health(engine: Engine, view: View) -> tuple[Health, str | None]:
    trouble = find_trouble(view, but_of=(CRON, *JOBS))
    worst = (Health.DEGRADED, trouble) if trouble is not None else (Health.HEALTHY, None)
    for step in _workloads(engine):
        item = view.workloads.get((step.kind, step.object))
        ready = item.get("status", {}).get("readyReplicas", 0) if item else 0
        if ready == 0 and step.object in engine.essential:
            return Health.DOWN, trouble or f"No {step.object} pod is ready. It usually comes back by itself."
        if item is None or ready < replicas(item):
            worst = (Health.DEGRADED, trouble or f"Not all {step.object} pods are ready.")
    return worst
