"""The steps of provisioning: four of the platform, the others of the engine."""

from collections.abc import Sequence
from datetime import datetime

from stores.engines import Engine
from stores.events import EventDraft
from stores.models import Step
from stores.status import StepStatus
from stores.texts import text

CREDENTIALS, NAMESPACE, ISOLATION, PROOF = "credentials", "namespace", "isolation", "proof"
INSTALL = "install"
"""The step of the install Job, in engines that have one."""
_PLATFORM_TITLES = {name: text(f"title.{name}") for name in (CREDENTIALS, NAMESPACE, ISOLATION, PROOF)}


def step_names(engine: Engine) -> list[str]:
    """The steps of a store, in order."""
    return [CREDENTIALS, NAMESPACE, ISOLATION, *(step.name for step in engine.steps), PROOF]


def platform_steps_succeeded(steps: Sequence[Step]) -> bool:
    """Whether the namespace is made and isolated: then the engine's workloads are applied."""
    before = [step for step in steps if step.name in (CREDENTIALS, NAMESPACE, ISOLATION)]
    return all(step.status == StepStatus.SUCCEEDED for step in before)


def step_titles(engine: Engine) -> dict[str, str]:
    """The title of each step, by its name."""
    return {**{step.name: step.title for step in engine.steps}, **_PLATFORM_TITLES}


def step_title(step: Step, engine: Engine) -> str:
    """The title of one step."""
    return step_titles(engine)[step.name]


def start_step(step: Step, now: datetime, engine: Engine, problem: str | None = None) -> list[EventDraft]:
    """To RUNNING. The message is the problem, or the step's title. No event if nothing changes."""
    message = problem or text("event.step_started", title=step_title(step, engine))
    if step.status == StepStatus.RUNNING and step.message == message:
        return []
    if step.status != StepStatus.RUNNING:
        step.status, step.started_at, step.finished_at = StepStatus.RUNNING, now, None
    step.message = message
    return [_step_event(step, message)]


def succeed_step(step: Step, now: datetime, steps: Sequence[Step], engine: Engine) -> list[EventDraft]:
    """To SUCCEEDED. No event if nothing changes."""
    if step.status == StepStatus.SUCCEEDED:
        return []
    step.status, step.finished_at, step.message = StepStatus.SUCCEEDED, now, None
    step.started_at = step.started_at or now
    done = text(
        "event.step_done",
        number=step.position,
        total=len(steps),
        seconds=f"{(now - step.started_at).total_seconds():.1f}",
        title=step_title(step, engine),
    )
    return [_step_event(step, done)]


def fail_step(step: Step, now: datetime, cause: str) -> list[EventDraft]:
    """To FAILED. `cause` says what to do."""
    step.status, step.finished_at, step.message = StepStatus.FAILED, now, cause
    step.started_at = step.started_at or now
    return [_step_event(step, cause)]


def reset_step(step: Step) -> None:
    """Back to PENDING."""
    step.status, step.started_at, step.finished_at, step.message = StepStatus.PENDING, None, None, None


def _step_event(step: Step, message: str) -> EventDraft:
    return EventDraft("STEP", message, {"name": step.name, "status": step.status, "message": step.message})
