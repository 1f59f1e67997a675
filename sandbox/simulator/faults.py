"""Fault injection. A fault is data; the code that simulates an operation looks for a fault that matches it."""

import asyncio
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sandbox.simulator.errors import bad_request
from sandbox.simulator.kinds import Manifest

FaultName = Literal[
    "image", "crash-loop", "crash", "unready", "unschedulable", "job", "quota", "http", "hang", "denied", "stuck"
]
"""What happens to matching objects and requests:

image: their images can't be pulled. crash-loop: containers end soon after they start. crash: the same, and running pods
go down now. unready: pods run but don't become ready. unschedulable: no node takes the pods. job: Jobs' pods fail with
`exitCode` and `message`. quota: creating an object gets 403 `exceeded quota`. http: requests get `code`, with
Retry-After if `retryAfter` is set. hang: requests wait `seconds`, or until the faults are replaced. denied:
SelfSubjectAccessReviews are denied. stuck: namespaces stay Terminating.
"""


@dataclass
class Fault:
    """One fault. An empty field matches everything.

    `namespace` is a prefix. `labels` must all be labels of the object or of its namespace. `component` is the value of
    the label app.kubernetes.io/component. `kind` may also be the kind of a pod's owner, or Pod/log for log requests.
    `verb` is a verb of the API (get, list, watch, create, update, patch, delete), or apply for a server-side apply.
    `times` is how often the fault still happens, None for always; only http, hang, quota and denied count down.
    """

    fault: FaultName
    namespace: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    component: str = ""
    verb: str = ""
    times: int | None = None
    code: int = 500
    retryAfter: float | None = None  # the field's name in JSON
    seconds: float = 30.0
    exitCode: int = 1  # the field's name in JSON
    message: str = ""

    __pydantic_config__ = ConfigDict(extra="forbid")

    def matches(self, subject: "FaultSubject") -> bool:
        return (
            self.times != 0
            and subject.namespace.startswith(self.namespace)
            and self.labels.items() <= subject.labels.items()
            and (not self.kind or self.kind in subject.kinds)
            and (not self.component or self.component == subject.component)
            and (not self.verb or self.verb in subject.verbs)
        )


_FAULTS = TypeAdapter(list[Fault])


@dataclass(slots=True)
class FaultSubject:
    """What a fault is matched with: an object, or a request for one."""

    namespace: str
    labels: dict[str, str] = field(default_factory=dict)
    """The object's, and those of its namespace that the object doesn't have."""
    component: str = ""
    kinds: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()


def fault_subject(manifest: Manifest, *kinds: str, verbs: tuple[str, ...] = ()) -> FaultSubject:
    """The object as something to match faults with."""
    metadata = manifest.get("metadata") or {}
    labels = metadata.get("labels") or {}
    return FaultSubject(
        metadata.get("namespace") or "",
        labels,
        labels.get("app.kubernetes.io/component", ""),
        kinds,
        verbs,
    )


@dataclass
class Faults:
    """The active faults."""

    active: list[Fault] = field(default_factory=list)
    replaced: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the faults are replaced: a hanging request stops waiting then."""

    def replace(self, rows: Any) -> None:
        """Raises ApiError 400; then the faults stay as they were."""
        try:
            self.active = _FAULTS.validate_python(rows)
        except ValidationError as error:
            raise bad_request(f"invalid faults: {error}") from None
        self.replaced.set()
        self.replaced = asyncio.Event()

    def find(self, subject: FaultSubject, *names: FaultName) -> Fault | None:
        """The first active fault with one of these names that matches."""
        return next((row for row in self.active if row.fault in names and row.matches(subject)), None)

    def consume(self, subject: FaultSubject, *names: FaultName) -> Fault | None:
        """As `find`, and decrements `times` of the fault."""
        row = self.find(subject, *names)
        if row is not None and row.times is not None:
            row.times -= 1
        return row

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(row) for row in self.active]
