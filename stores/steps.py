"""The named parts of a store's way up: four are the platform's, the others the engine's."""

from collections.abc import Sequence
from datetime import datetime

from stores.engines import Engine
from stores.events import News
from stores.models import Step, Store
from stores.status import StepStatus

CREDENTIALS, NAMESPACE, ISOLATION, PROOF = "credentials", "namespace", "isolation", "proof"
_PLATFORM_TITLES = {
    CREDENTIALS: "Making and sealing credentials",
    NAMESPACE: "Making a namespace of its own",
    ISOLATION: "Isolating and limiting it",
    PROOF: "A synthetic shopper buys something",
}


def new_steps(store: Store, engine: Engine) -> list[Step]:
    """The rows for a new store, in the order in which they are done."""
    names = [CREDENTIALS, NAMESPACE, ISOLATION, *(step.name for step in engine.steps), PROOF]
    return [Step(store_id=store.id, position=number, name=name) for number, name in enumerate(names, start=1)]


def titles(engine: Engine) -> dict[str, str]:
    """What each step does, in plain words, by its name."""
    return {**{step.name: step.title for step in engine.steps}, **_PLATFORM_TITLES}


def title(step: Step, engine: Engine) -> str:
    """What the step does, in plain words."""
    return titles(engine)[step.name]


def start(step: Step, now: datetime, message: str) -> list[News]:
    """Begin it. News only when it didn't run yet; a changed message alone is news too."""
    if step.status == StepStatus.RUNNING and step.message == message:
        return []
    if step.status != StepStatus.RUNNING:
        step.status, step.started_at, step.finished_at = StepStatus.RUNNING, now, None
    step.message = message
    return [_news(step, message)]


def succeed(step: Step, now: datetime, steps: Sequence[Step]) -> list[News]:
    """End it well. Doing so again is no news."""
    if step.status == StepStatus.SUCCEEDED:
        return []
    step.status, step.finished_at, step.message = StepStatus.SUCCEEDED, now, None
    step.started_at = step.started_at or now
    seconds = (now - step.started_at).total_seconds()
    return [_news(step, f"Step {step.position} of {len(steps)} ({step.name}) done in {seconds:.1f} s.")]


def fail(step: Step, now: datetime, cause: str) -> list[News]:
    """End it badly; the cause says what to do."""
    step.status, step.finished_at, step.message = StepStatus.FAILED, now, cause
    step.started_at = step.started_at or now
    return [_news(step, cause)]


def reset(step: Step) -> None:
    """It is to be done (again)."""
    step.status, step.started_at, step.finished_at, step.message = StepStatus.PENDING, None, None, None


def _news(step: Step, message: str) -> News:
    return News("STEP", message, {"name": step.name, "status": step.status, "message": step.message})
