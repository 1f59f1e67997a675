"""A plugin of coverage that makes its C tracer cheaper with greenlets, and keeps it from looping for ever.

The tracer keeps a stack for each greenlet, in a `WeakKeyDictionary`. At the end of a greenlet, that dictionary runs a
callback written in Python. When two threads end together, CPython 3.11 enters this callback inside a pending call, and
traces its first instruction for ever. A dictionary by identity has no callback. An identity that is used again is
harmless: the earlier greenlet's stack is empty, because all its frames have returned.
"""

import weakref
from collections.abc import Callable
from functools import wraps
from typing import Any

from coverage.collector import Collector
from coverage.plugin_support import Plugins

ORIGINAL = weakref.WeakKeyDictionary


class IdentityDictionary(dict[int, Any]):
    """Maps objects by identity, without keeping them alive."""

    def __getitem__(self, key: object) -> Any:
        return super().__getitem__(id(key))

    def __setitem__(self, key: object, value: Any) -> None:
        super().__setitem__(id(key), value)


def coverage_init(_registry: Plugins, _options: dict[str, str]) -> None:
    """Called by coverage at the start of each measured process.

    A tracer creates its dictionary at its first event: for the main thread that is in the first of these methods, for
    another thread in the second.
    """
    for name in ("_start_tracer", "_installation_trace"):
        setattr(Collector, name, with_identities(getattr(Collector, name)))


def with_identities(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def wrapped(*arguments: Any) -> Any:
        if weakref.WeakKeyDictionary is IdentityDictionary:  # type: ignore[comparison-overlap]  # set below
            return method(*arguments)
        weakref.WeakKeyDictionary = IdentityDictionary  # type: ignore[assignment, misc]  # for one call
        try:
            return method(*arguments)
        finally:
            weakref.WeakKeyDictionary = ORIGINAL  # type: ignore[misc]  # mypy takes classes for constant

    return wrapped
