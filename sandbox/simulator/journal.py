"""Keeps the objects over a restart or SIGKILL: each change is a line appended before anyone hears of it.

A line is `[version, kind, namespace, name, applied, manifest]`, or the first four for a removal. It is in the operating
system's hands when the change is answered; only a crash of the machine itself could lose it. When most
lines are history the file is written anew, beside the old one, and then takes its place.
"""

import json
import os
from pathlib import Path

from sandbox.simulator.kinds import BY_NAME, KINDS
from sandbox.simulator.objects import Change, Key, Objects

SLACK = 20_000
"""How many lines of history are always fine."""


class Journal:
    """The file of a state; `objects` must be told to it by `keep`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = 0
        self._bound = SLACK
        self._file = -1

    def load(self) -> Objects | None:
        """What the file says; None when there is none. A last line cut short by a kill never happened."""
        if not self.path.exists():
            return None
        objects = Objects(0)
        version = 0
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                version, kind, namespace, name, *rest = json.loads(line)
                key = Key(BY_NAME[kind], namespace, name)
                if rest:
                    applied, body = rest
                    head = {"apiVersion": key.kind.api_version, "kind": kind}
                    objects.load(key, {**head, **body}, applied)
                else:
                    objects.remove(key)
        restored = Objects(version)
        for kind_ in KINDS:
            for key, stored in objects.everywhere(kind_):
                restored.load(key, stored.manifest, stored.applied)
        return restored

    def keep(self, objects: Objects) -> None:
        """Write all that is there, and from now on all that changes."""
        self._rewrite(objects)
        objects.listeners.insert(0, lambda change: self._append(objects, change))

    def close(self) -> None:
        os.close(self._file)

    def _append(self, objects: Objects, change: Change) -> None:
        os.write(self._file, _line(change))
        self._lines += 1
        if self._lines > self._bound:
            self._bound = 4 * sum(1 for kind in KINDS for _ in objects.everywhere(kind))
            if self._lines > self._bound:
                self._rewrite(objects)

    def _rewrite(self, objects: Objects) -> None:
        unfinished = self.path.with_name(self.path.name + ".new")
        self._lines = 0
        with open(unfinished, "wb", opener=_private) as file:
            for kind in KINDS:
                for key, stored in objects.everywhere(kind):
                    file.write(_line(Change(objects.version, "ADDED", key, stored, None, stored.facts)))
                    self._lines += 1
        self._bound = max(SLACK, 4 * self._lines)
        if self._file >= 0:
            os.close(self._file)
        unfinished.replace(self.path)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)


def _line(change: Change) -> bytes:
    kind, namespace, name = change.key
    where = json.dumps([change.version, kind.name, namespace, name]).encode()
    if change.type == "DELETED":
        return where + b"\n"
    return b"%s,%s,%s]\n" % (where[:-1], json.dumps(change.stored.applied).encode(), change.stored.body)


def _private(path: str, flags: int) -> int:
    """For `open`: there are Secrets in it."""
    return os.open(path, flags, 0o600)
