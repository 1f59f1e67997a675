"""The objects, their versions and what changed: etcd and the watch cache of the simulation.

A manifest handed to or by this module is never changed afterwards; a change is a new manifest. That is why its JSON can
be made once, for every reader, watcher and the journal.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sandbox.simulator.errors import expired, not_found
from sandbox.simulator.kinds import BY_NAME, KINDS, Kind, Manifest
from sandbox.simulator.selectors import Facts, Selector, facts

LOG = 10_000
"""How many changes of a kind are kept, at least, for watches that come late."""
BACKLOG = 20_000
"""How many changes a watcher may be behind before it is cut off, as a real API server does."""


class Key(NamedTuple):
    """An object's place; the namespace is "" for what has none."""

    kind: Kind
    namespace: str
    name: str


@dataclass(slots=True)
class Stored:
    """An object, its JSON without apiVersion and kind, and what each server-side applier last asked for."""

    manifest: Manifest
    body: bytes
    facts: Facts
    applied: dict[str, Manifest]


def encoded(kind: Kind, manifest: Manifest, applied: dict[str, Manifest]) -> Stored:
    """An object with all that is made of it once."""
    body = {name: part for name, part in manifest.items() if name not in ("apiVersion", "kind")}
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Stored(manifest, text.encode(), facts(kind, manifest), applied)


@dataclass(slots=True)
class Change:
    """One change; `before` and `after` are what selectors can ask of it, None where there was or is no object."""

    version: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    key: Key
    stored: Stored
    before: Facts | None
    after: Facts | None

    def seen(self, namespace: str, selector: Selector | None) -> str | None:
        """The type of the event for who watches that, or None: what stops matching looks deleted."""
        if namespace and self.key.namespace != namespace:
            return None
        if selector is None:
            return self.type
        before = self.before is not None and selector(self.before)
        after = self.after is not None and selector(self.after)
        if before:
            return "MODIFIED" if after else "DELETED"
        return "ADDED" if after else None


def event(type_: str, kind: Kind, body: bytes) -> bytes:
    """One line of a watch."""
    return b'{"type":"%s","object":%s%s}\n' % (type_.encode(), kind.head, body[1:])


@dataclass(eq=False)
class Watcher:
    """Who watches one kind. `lines` is what it was not told yet; `dropped` ends the connection in the middle."""

    kind: Kind
    namespace: str
    selector: Selector | None
    wake: Callable[[], None]
    lines: list[bytes] = field(default_factory=list)
    dropped: bool = False

    def tell(self, change: Change) -> None:
        if (type_ := change.seen(self.namespace, self.selector)) is not None:
            self.lines.append(event(type_, self.kind, change.stored.body))
            self.dropped |= len(self.lines) > BACKLOG
            self.wake()

    def drop(self) -> None:
        self.dropped = True
        self.wake()


class Objects:
    """All objects, by kind and namespace; one counter of versions for all."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.watchers: dict[Kind, set[Watcher]] = {kind: set() for kind in KINDS}
        self.listeners: list[Callable[[Change], None]] = []
        self._by_kind: dict[Kind, dict[str, dict[str, Stored]]] = {kind: {} for kind in KINDS}
        self._dependents: defaultdict[str, dict[Key, None]] = defaultdict(dict)
        self._log: dict[Kind, list[Change]] = {kind: [] for kind in KINDS}
        self._compacted = dict.fromkeys(KINDS, version)

    def find(self, key: Key) -> Stored | None:
        return self._by_kind[key.kind].get(key.namespace, {}).get(key.name)

    def get(self, key: Key) -> Stored:
        """Raises ApiError 404."""
        if (stored := self.find(key)) is None:
            raise not_found(key.kind, key.name)
        return stored

    def manifest(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        stored = self.find(Key(kind, namespace, name))
        return None if stored is None else stored.manifest

    def within(self, kind: Kind, namespace: str) -> Iterator[tuple[Key, Stored]]:
        """Those of one namespace ("" for those without), in no order; changes meanwhile are not seen."""
        for name, stored in list(self._by_kind[kind].get(namespace, {}).items()):
            yield Key(kind, namespace, name), stored

    def everywhere(self, kind: Kind) -> Iterator[tuple[Key, Stored]]:
        for namespace in list(self._by_kind[kind]):
            yield from self.within(kind, namespace)

    def listed(self, kind: Kind, namespace: str | None, selector: Selector | None) -> list[tuple[Key, Stored]]:
        """Sorted by namespace and name; namespace None is all of them."""
        found = self.everywhere(kind) if namespace is None else self.within(kind, namespace)
        matching = [(key, stored) for key, stored in found if selector is None or selector(stored.facts)]
        return sorted(matching, key=lambda pair: pair[0][1:])

    def contents(self, namespace: str) -> Iterator[tuple[Key, Stored]]:
        """Everything in a namespace."""
        for kind in KINDS:
            if kind.namespaced:
                yield from self.within(kind, namespace)

    def dependents(self, uid: str) -> list[tuple[Key, Stored]]:
        """Those that name that owner."""
        return [(key, self.get(key)) for key in self._dependents.get(uid, ())]

    def write(self, key: Key, manifest: Manifest, applied: dict[str, Manifest] | None = None) -> Stored:
        """Keep this manifest under a new version; `applied` None keeps what was."""
        before = self.find(key)
        self.version += 1
        metadata = {**manifest["metadata"], "resourceVersion": str(self.version)}
        manifest = {"apiVersion": key.kind.api_version, "kind": key.kind.name, **manifest, "metadata": metadata}
        stored = self.load(key, manifest, (before.applied if before else {}) if applied is None else applied)
        self._tell(
            Change(
                self.version,
                "MODIFIED" if before else "ADDED",
                key,
                stored,
                before.facts if before else None,
                stored.facts,
            )
        )
        return stored

    def load(self, key: Key, manifest: Manifest, applied: dict[str, Manifest]) -> Stored:
        """Put an object where it belongs, untold."""
        before = self.find(key)
        owners = manifest["metadata"].get("ownerReferences")
        if before is not None and before.manifest["metadata"].get("ownerReferences") != owners:
            self._disown(key, before)
        for owner in owners or ():
            self._dependents[owner["uid"]][key] = None
        stored = encoded(key.kind, manifest, applied)
        self._by_kind[key.kind].setdefault(key.namespace, {})[key.name] = stored
        return stored

    def remove(self, key: Key) -> Stored:
        """Take the object away; returns its last state, under the version of its removal."""
        before = self.get(key)
        self._disown(key, before)
        kept = self._by_kind[key.kind]
        del kept[key.namespace][key.name]
        if not kept[key.namespace]:
            del kept[key.namespace]
        self.version += 1
        metadata = {**before.manifest["metadata"], "resourceVersion": str(self.version)}
        last = encoded(key.kind, {**before.manifest, "metadata": metadata}, {})
        self._tell(Change(self.version, "DELETED", key, last, before.facts, None))
        return last

    def _disown(self, key: Key, stored: Stored) -> None:
        for owner in stored.manifest["metadata"].get("ownerReferences") or ():
            self._dependents[owner["uid"]].pop(key, None)
            if not self._dependents[owner["uid"]]:
                del self._dependents[owner["uid"]]

    def _tell(self, change: Change) -> None:
        kind = change.key.kind
        log = self._log[kind]
        log.append(change)
        if len(log) > 2 * LOG:
            self._compacted[kind] = log[LOG - 1].version
            del log[:LOG]
        for watcher in self.watchers[kind]:
            watcher.tell(change)
        for listener in self.listeners:
            listener(change)

    def since(self, kind: Kind, version: int) -> Iterable[Change]:
        """The changes after that version. Raises ApiError 410 when not all are known, or the version is not ours."""
        if not self._compacted[kind] <= version <= self.version:
            raise expired(f"{version} ({self._compacted[kind]})")
        log = self._log[kind]
        return log[bisect_right(log, version, key=lambda change: change.version) :]

    def compact(self) -> None:
        """Forget all changes."""
        for kind in KINDS:
            self._log[kind].clear()
            self._compacted[kind] = self.version


def owner_key(namespace: str, reference: Manifest) -> Key | None:
    """The place of an owner an object in that namespace names; None for kinds not served here."""
    kind = BY_NAME.get(reference["kind"])
    return None if kind is None else Key(kind, namespace if kind.namespaced else "", reference["name"])
