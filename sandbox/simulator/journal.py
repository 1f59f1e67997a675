"""A write-ahead journal: keeps the objects over a restart or SIGKILL.

Each change is appended as one line before watchers and controllers see it. A line is `[version, kind, namespace, name,
last_applied, manifest]`, or the first four items for a removal. It isn't synced: only a crash of the machine can lose
it. When most lines are outdated, the journal is compacted into a new file that replaces the old one.
"""

import json
import os
from pathlib import Path

from sandbox.simulator.kinds import BY_NAME, KINDS
from sandbox.simulator.objects import Change, Key, ObjectStore

MIN_HISTORY_LINES = 20_000
"""The journal is never compacted below that many lines."""


class Journal:
    """The journal file. Call `load`, then `start`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = 0
        self._max_lines = MIN_HISTORY_LINES
        self._file = -1

    def load(self) -> ObjectStore | None:
        """The objects of the file; None without a file. An incomplete last line is ignored."""
        if not self.path.exists():
            return None
        objects = ObjectStore(0)
        version = 0
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                version, kind, namespace, name, *rest = json.loads(line)
                key = Key(BY_NAME[kind], namespace, name)
                if rest:
                    last_applied, body = rest
                    type_meta = {"apiVersion": key.kind.api_version, "kind": kind}
                    objects.load(key, {**type_meta, **body}, last_applied)
                else:
                    objects.remove(key)
        restored = ObjectStore(version)
        for kind_ in KINDS:
            for key, stored in objects.all_of_kind(kind_):
                restored.load(key, stored.manifest, stored.last_applied)
        return restored

    def start(self, objects: ObjectStore) -> None:
        """Write all existing objects, and append every later change."""
        self._compact(objects)
        objects.listeners.insert(0, lambda change: self._append(objects, change))

    def close(self) -> None:
        os.close(self._file)

    def _append(self, objects: ObjectStore, change: Change) -> None:
        os.write(self._file, _line(change))
        self._lines += 1
        if self._lines > self._max_lines:
            self._max_lines = 4 * sum(1 for kind in KINDS for _ in objects.all_of_kind(kind))
            if self._lines > self._max_lines:
                self._compact(objects)

    def _compact(self, objects: ObjectStore) -> None:
        temporary = self.path.with_name(self.path.name + ".new")
        self._lines = 0
        with open(temporary, "wb", opener=_open_private) as file:
            for kind in KINDS:
                for key, stored in objects.all_of_kind(kind):
                    file.write(_line(Change(objects.version, "ADDED", key, stored, None, stored.attributes)))
                    self._lines += 1
        self._max_lines = max(MIN_HISTORY_LINES, 4 * self._lines)
        if self._file >= 0:
            os.close(self._file)
        temporary.replace(self.path)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)


def _line(change: Change) -> bytes:
    kind, namespace, name = change.key
    prefix = json.dumps([change.version, kind.name, namespace, name]).encode()
    if change.type == "DELETED":
        return prefix + b"\n"
    return b"%s,%s,%s]\n" % (prefix[:-1], json.dumps(change.stored.last_applied).encode(), change.stored.body)


def _open_private(path: str, flags: int) -> int:
    """An opener for `open`, mode 0600: the journal contains Secrets."""
    return os.open(path, flags, 0o600)
