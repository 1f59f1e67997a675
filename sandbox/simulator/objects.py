"""Object storage: objects, resource versions and the history of changes (etcd and the watch cache).

Manifests are immutable: a change is a new manifest. So each one is encoded to JSON once, for all readers, watchers and
the journal.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sandbox.simulator.errors import expired, not_found
from sandbox.simulator.kinds import BY_NAME, KINDS, Kind, Manifest
from sandbox.simulator.selectors import SelectableAttributes, Selector, selectable_attributes

HISTORY_SIZE = 10_000
"""How many changes of a kind are kept, at least, for watches that start at an older version."""
WATCH_BUFFER_SIZE = 20_000
"""A watcher with more unsent events is disconnected, as by a real API server."""

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


class Key(NamedTuple):
    """Kind, namespace and name; the namespace of a cluster-scoped object is ""."""

    kind: Kind
    namespace: str
    name: str


@dataclass(slots=True)
class StoredObject:
    """An object, its JSON without apiVersion and kind, and what each field manager applied last."""

    manifest: Manifest
    body: bytes
    attributes: SelectableAttributes
    last_applied: dict[str, Manifest]


def encode(kind: Kind, manifest: Manifest, last_applied: dict[str, Manifest]) -> StoredObject:
    """Encode an object for storage."""
    body = {name: part for name, part in manifest.items() if name not in ("apiVersion", "kind")}
    return StoredObject(manifest, _ENCODER.encode(body).encode(), selectable_attributes(kind, manifest), last_applied)


@dataclass(slots=True)
class Change:
    """One change. `before` and `after` are the attributes for selectors; None before a creation and after a removal."""

    version: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    key: Key
    stored: StoredObject
    before: SelectableAttributes | None
    after: SelectableAttributes | None

    def event_type_for(self, namespace: str, selector: Selector | None) -> str | None:
        """The event type for a watch with that namespace and selector; None for no event.

        An object that stops matching the selector is reported as DELETED, one that begins to match as ADDED.
        """
        if namespace and self.key.namespace != namespace:
            return None
        if selector is None:
            return self.type
        before = self.before is not None and selector(self.before)
        after = self.after is not None and selector(self.after)
        if before:
            return "MODIFIED" if after else "DELETED"
        return "ADDED" if after else None


def watch_event(type_: str, kind: Kind, body: bytes) -> bytes:
    """One line of a watch response."""
    return b'{"type":"%s","object":%s%s}\n' % (type_.encode(), kind.json_prefix, body[1:])


@dataclass(eq=False)
class Watcher:
    """A watch of one kind. `pending` are unsent lines; `dropped` makes the server cut the connection."""

    kind: Kind
    namespace: str
    selector: Selector | None
    notify: Callable[[], None]
    pending: list[bytes] = field(default_factory=list)
    dropped: bool = False

    def send(self, change: Change) -> None:
        if (type_ := change.event_type_for(self.namespace, self.selector)) is not None:
            self.pending.append(watch_event(type_, self.kind, change.stored.body))
            self.dropped |= len(self.pending) > WATCH_BUFFER_SIZE
            self.notify()

    def drop(self) -> None:
        self.dropped = True
        self.notify()


class ObjectStore:
    """All objects by kind and namespace, with one counter of resource versions."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.watchers: dict[Kind, set[Watcher]] = {kind: set() for kind in KINDS}
        self.listeners: list[Callable[[Change], None]] = []
        self._by_kind: dict[Kind, dict[str, dict[str, StoredObject]]] = {kind: {} for kind in KINDS}
        self._dependents: defaultdict[str, dict[Key, None]] = defaultdict(dict)
        self._history: dict[Kind, list[Change]] = {kind: [] for kind in KINDS}
        self._compacted = dict.fromkeys(KINDS, version)

    def find(self, key: Key) -> StoredObject | None:
        return self._by_kind[key.kind].get(key.namespace, {}).get(key.name)

    def get(self, key: Key) -> StoredObject:
        """Raises ApiError 404."""
        if (stored := self.find(key)) is None:
            raise not_found(key.kind, key.name)
        return stored

    def manifest(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        stored = self.find(Key(kind, namespace, name))
        return None if stored is None else stored.manifest

    def in_namespace(self, kind: Kind, namespace: str) -> Iterator[tuple[Key, StoredObject]]:
        """The objects of one namespace ("" for cluster-scoped kinds), unordered. Iterates over a copy."""
        for name, stored in list(self._by_kind[kind].get(namespace, {}).items()):
            yield Key(kind, namespace, name), stored

    def all_of_kind(self, kind: Kind) -> Iterator[tuple[Key, StoredObject]]:
        for namespace in list(self._by_kind[kind]):
            yield from self.in_namespace(kind, namespace)

    def list_sorted(
        self, kind: Kind, namespace: str | None, selector: Selector | None
    ) -> list[tuple[Key, StoredObject]]:
        """The matching objects, sorted by namespace and name; namespace None means all namespaces."""
        found = self.all_of_kind(kind) if namespace is None else self.in_namespace(kind, namespace)
        matching = [(key, stored) for key, stored in found if selector is None or selector(stored.attributes)]
        return sorted(matching, key=lambda pair: pair[0][1:])

    def namespace_contents(self, namespace: str) -> Iterator[tuple[Key, StoredObject]]:
        """All objects of a namespace."""
        for kind in KINDS:
            if kind.namespaced:
                yield from self.in_namespace(kind, namespace)

    def dependents(self, uid: str) -> list[tuple[Key, StoredObject]]:
        """The objects with an ownerReference to that uid."""
        return [(key, self.get(key)) for key in self._dependents.get(uid, ())]

    def put(self, key: Key, manifest: Manifest, last_applied: dict[str, Manifest] | None = None) -> StoredObject:
        """Create or replace an object under a new version; `last_applied` None keeps the old value."""
        before = self.find(key)
        self.version += 1
        metadata = {**manifest["metadata"], "resourceVersion": str(self.version)}
        manifest = {"apiVersion": key.kind.api_version, "kind": key.kind.name, **manifest, "metadata": metadata}
        stored = self.load(
            key, manifest, (before.last_applied if before else {}) if last_applied is None else last_applied
        )
        self._notify(
            Change(
                self.version,
                "MODIFIED" if before else "ADDED",
                key,
                stored,
                before.attributes if before else None,
                stored.attributes,
            )
        )
        return stored

    def load(self, key: Key, manifest: Manifest, last_applied: dict[str, Manifest]) -> StoredObject:
        """Insert an object without a new version and without notifications."""
        before = self.find(key)
        owners = manifest["metadata"].get("ownerReferences")
        if before is not None and before.manifest["metadata"].get("ownerReferences") != owners:
            self._remove_from_owner_index(key, before)
        for owner in owners or ():
            self._dependents[owner["uid"]][key] = None
        stored = encode(key.kind, manifest, last_applied)
        self._by_kind[key.kind].setdefault(key.namespace, {})[key.name] = stored
        return stored

    def remove(self, key: Key) -> StoredObject:
        """Remove the object. Returns its last state with the version of the removal."""
        before = self.get(key)
        self._remove_from_owner_index(key, before)
        kept = self._by_kind[key.kind]
        del kept[key.namespace][key.name]
        if not kept[key.namespace]:
            del kept[key.namespace]
        self.version += 1
        metadata = {**before.manifest["metadata"], "resourceVersion": str(self.version)}
        last = encode(key.kind, {**before.manifest, "metadata": metadata}, {})
        self._notify(Change(self.version, "DELETED", key, last, before.attributes, None))
        return last

    def _remove_from_owner_index(self, key: Key, stored: StoredObject) -> None:
        for owner in stored.manifest["metadata"].get("ownerReferences") or ():
            self._dependents[owner["uid"]].pop(key, None)
            if not self._dependents[owner["uid"]]:
                del self._dependents[owner["uid"]]

    def _notify(self, change: Change) -> None:
        kind = change.key.kind
        history = self._history[kind]
        history.append(change)
        if len(history) > 2 * HISTORY_SIZE:
            self._compacted[kind] = history[HISTORY_SIZE - 1].version
            del history[:HISTORY_SIZE]
        for watcher in self.watchers[kind]:
            watcher.send(change)
        for listener in self.listeners:
            listener(change)

    def changes_since(self, kind: Kind, version: int) -> Iterable[Change]:
        """The changes after that version. Raises ApiError 410 for a compacted or unknown version."""
        if not self._compacted[kind] <= version <= self.version:
            raise expired(f"{version} ({self._compacted[kind]})")
        history = self._history[kind]
        return history[bisect_right(history, version, key=lambda change: change.version) :]

    def compact(self) -> None:
        """Discard the history."""
        for kind in KINDS:
            self._history[kind].clear()
            self._compacted[kind] = self.version


def owner_key(namespace: str, reference: Manifest) -> Key | None:
    """The key of the owner in an ownerReference; None for an unknown kind."""
    kind = BY_NAME.get(reference["kind"])
    return None if kind is None else Key(kind, namespace if kind.namespaced else "", reference["name"])
