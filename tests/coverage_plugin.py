"""A plugin of coverage that makes its C tracer cheaper with greenlets, and keeps it from looping for ever.

The tracer keeps a stack for each greenlet, in a `WeakKeyDictionary`. At the end of a greenlet, that dictionary runs a
callback written in Python. When two threads end together, CPython 3.11 enters this callback inside a pending call, and
traces its first instruction for ever. A dictionary by identity has no callback. An identity that is used again is
harmless: the earlier greenlet's stack is empty, because all its frames have returned.
"""

import weakref
from typing import Any

from coverage.collector import Collector
from coverage.plugin_support import Plugins
from coverage.types import TTraceFn


class IdentityDictionary(dict[int, Any]):
    """Maps objects by identity, without keeping them alive."""

    def __getitem__(self, key: object) -> Any:
        return super().__getitem__(id(key))

    def __setitem__(self, key: object, value: Any) -> None:
        super().__setitem__(id(key), value)


def coverage_init(_registry: Plugins, _options: dict[str, str]) -> None:
    """Called by coverage at the start of each measured process. The tracer looks the class up when it is created."""
    start_tracer = Collector._start_tracer

    def start_with_identities(self: Collector) -> TTraceFn | None:
        original = weakref.WeakKeyDictionary
        weakref.WeakKeyDictionary = IdentityDictionary  # type: ignore[assignment, misc]  # for one call
        try:
            return start_tracer(self)
        finally:
            weakref.WeakKeyDictionary = original  # type: ignore[misc]  # mypy takes classes for constant

    Collector._start_tracer = start_with_identities  # type: ignore[method-assign]  # coverage has no option for it
