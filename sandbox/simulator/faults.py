"""What goes wrong on demand. A fault is a row of data; who is responsible for a thing asks whether one matches it."""

import asyncio
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from sandbox.simulator.errors import bad_request
from sandbox.simulator.kinds import Manifest

Name = Literal[
    "image", "crash-loop", "crash", "unready", "unschedulable", "job", "quota", "http", "hang", "denied", "stuck"
]
NAMES: dict[Name, str] = {
    "image": "the images of matching pods can't be pulled",
    "crash-loop": "containers of matching pods end soon after they start",
    "crash": "as crash-loop, and running ready pods go down now",
    "unready": "matching pods run but do not become ready",
    "unschedulable": "no node takes matching pods",
    "job": "matching Jobs' pods fail with `exitCode` and `message`",
    "quota": "403 `exceeded quota` when a matching object is made",
    "http": "requests get `code`, with Retry-After when `retryAfter` is set",
    "hang": "requests wait `seconds` before they are handled, or until the faults are replaced",
    "denied": "SelfSubjectAccessReview says no",
    "stuck": "matching namespaces stay Terminating",
}


@dataclass
class Fault:
    """One fault; what is empty matches anything.

    `namespace` is a prefix; `store` and `component` are values of the labels storefleet.dev/store (the object's or its
    namespace's) and app.kubernetes.io/component; `kind` may be that of a pod's owner, or Pod/log for requests of logs;
    `verb` is the API's (get, list, watch, create, update, patch, delete; apply for a server-side apply). `times` is how
    often it still happens, None for ever (only http, hang, quota and denied count).
    """

    fault: Name
    namespace: str = ""
    store: str = ""
    kind: str = ""
    component: str = ""
    verb: str = ""
    times: int | None = None
    code: int = 500
    retryAfter: float | None = None  # the field's name in JSON
    seconds: float = 30.0
    exitCode: int = 1  # the field's name in JSON
    message: str = ""

    @classmethod
    def parse(cls, row: Any) -> Self:
        """From JSON. Raises ApiError 400."""
        known = {part.name for part in fields(cls)}
        if not isinstance(row, dict) or row.get("fault") not in NAMES or row.keys() - known:
            raise bad_request(f"a fault is an object with fault in {sorted(NAMES)} and any of {sorted(known)}: {row!r}")
        return cls(**row)

    def matches(self, subject: "Subject") -> bool:
        return (
            self.times != 0
            and subject.namespace.startswith(self.namespace)
            and (not self.store or self.store == subject.store)
            and (not self.kind or self.kind in subject.kinds)
            and (not self.component or self.component == subject.component)
            and (not self.verb or self.verb in subject.verbs)
        )


@dataclass(slots=True)
class Subject:
    """What a fault could happen to."""

    namespace: str
    store: str = ""
    component: str = ""
    kinds: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()


def subject_of(manifest: Manifest, *kinds: str, verbs: tuple[str, ...] = ()) -> Subject:
    """An object as a fault sees it."""
    metadata = manifest.get("metadata") or {}
    labels = metadata.get("labels") or {}
    return Subject(
        metadata.get("namespace") or "",
        labels.get("storefleet.dev/store", ""),
        labels.get("app.kubernetes.io/component", ""),
        kinds,
        verbs,
    )


@dataclass
class Faults:
    """The faults in force."""

    rows: list[Fault] = field(default_factory=list)
    replaced: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when these are no longer the faults in force; who waits because of one need not wait on."""

    def replace(self, rows: Any) -> None:
        """Raises ApiError 400, and then keeps those that were."""
        if not isinstance(rows, list):
            raise bad_request("faults are a list")
        self.rows = [Fault.parse(row) for row in rows]
        self.replaced.set()
        self.replaced = asyncio.Event()

    def find(self, subject: Subject, *names: Name) -> Fault | None:
        """The first of those faults that matches."""
        return next((row for row in self.rows if row.fault in names and row.matches(subject)), None)

    def take(self, subject: Subject, *names: Name) -> Fault | None:
        """As `find`, and uses up one of its times."""
        row = self.find(subject, *names)
        if row is not None and row.times is not None:
            row.times -= 1
        return row

    def shown(self) -> list[dict[str, Any]]:
        return [asdict(row) for row in self.rows]
