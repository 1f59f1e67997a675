"""What an engine is, and which ones this installation offers. The engines themselves are modules of their own.

A module named in the setting `engines` holds `ENGINE: Engine`. Nothing else has to know about it.
"""

import hashlib
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from accounts.errors import CallerError, Code
from runtime.settings import ClusterProfile
from stores.plans import Plan

SETUPS = ("ready", "wizard")
"""How a shop may begin: ready to sell, or ready to sell and with a wizard that greets its owner."""

Manifest = dict[str, Any]
"""One Kubernetes object as JSON would hold it."""


@dataclass(frozen=True)
class StoreSpec:
    """All that a store's manifests may depend on, besides its secrets and the cluster's profile."""

    store_id: UUID
    account_id: UUID
    name: str
    slug: str
    plan: Plan
    release: str
    admin_email: str
    country: str
    """ISO 3166-1 alpha-2."""
    currency: str
    """ISO 4217."""
    language: str
    """BCP 47."""
    setup: str
    """One of the engine's `setups`."""


@dataclass(frozen=True)
class SecretField:
    """A value the worker generates once a store, seals in Postgres and derives Kubernetes Secrets from."""

    name: str
    generate: Callable[[], str]
    shown: bool = False
    """True: may be revealed to the owner (sealed with the key the API has)."""


def next_of(field: str) -> str:
    """The name of a secret that will take that one's place, once a Job has said that it is in force."""
    return f"{field}-next"


@dataclass(frozen=True)
class EngineStep:
    """A wait on the way up: done when the named object is ready (Deployment, StatefulSet) or complete (Job)."""

    name: str
    title: str
    kind: Literal["Deployment", "StatefulSet", "Job"]
    object: str
    """The object's name; for a Job its component (`install`), since its name carries the spec's hash."""


@dataclass(frozen=True)
class Manifests:
    """A rendered store, in the order it reaches the cluster: namespace, isolation, then all else at once."""

    namespace: Manifest
    isolation: Sequence[Manifest]
    workloads: Sequence[Manifest]
    """Applied together, server-side."""
    install: Manifest | None
    """A Job (created, never patched), or None where the engine needs none. Named without hash and attempt."""
    proof: Manifest
    """A Job whose pod leaves its receipt as termination message. Named without hash and attempt."""
    rotation: tuple[Manifest, Manifest] | None = None
    """A Secret and a Job that gives the owner's account the password in it; where the secrets have the next one of the
    field that is shown. Named without number; no part of what runs."""

    @property
    def spec_hash(self) -> str:
        """SHA-256 over all that runs: every manifest, images included, without the values of Secrets."""
        objects = [self.namespace, *self.isolation, *self.workloads, self.install, self.proof]
        shapes = [
            {key: value for key, value in item.items() if key not in ("data", "stringData")}
            if item["kind"] == "Secret"
            else item
            for item in objects
            if item is not None
        ]
        return hashlib.sha256(json.dumps(shapes, sort_keys=True).encode()).hexdigest()


def _no_release(spec: StoreSpec, secrets: Mapping[str, str], profile: ClusterProfile) -> Manifests:
    raise LookupError(f"release {spec.release} can't be rendered: the engine has none yet")


@dataclass(frozen=True)
class Engine:
    """One kind of shop. `render` is pure: the same input gives the same manifests, in any process."""

    name: str
    """Lower case; in GraphQL the upper-case member of the enum Engine."""
    title: str
    releases: Sequence[str]
    """Oldest first; a new store is pinned to the last. Empty: the engine is announced but not yet available."""
    steps: Sequence[EngineStep] = ()
    secrets: Sequence[SecretField] = ()
    workloads: Sequence[str] = ()
    """The components that have pods, and so logs."""
    setups: Sequence[str] = SETUPS[:1]
    """Those of SETUPS that it has, the default first."""
    rotates: bool = False
    """Whether the owner's password can be changed: `render` makes a rotation."""
    admin_username: str = "admin"
    admin_path: str = "/"
    """Where the owner signs in, below the store's URL."""
    essential: Sequence[str] = ()
    """Names of the Deployments and StatefulSets without which the store is DOWN."""
    render: Callable[[StoreSpec, Mapping[str, str], ClusterProfile], Manifests] = field(default=_no_release, repr=False)

    @property
    def available(self) -> bool:
        return bool(self.releases)

    @property
    def shown(self) -> SecretField:
        """What the owner may be told: the password of the shop's own admin. Raises StopIteration without one."""
        return next(item for item in self.secrets if item.shown)


def setup_of(engine: Engine, wanted: str | None) -> str:
    """How a shop of it begins; None: as most do. Raises CallerError."""
    if wanted is not None and wanted not in engine.setups:
        ways = " or ".join(name.upper() for name in engine.setups)
        raise CallerError(Code.INVALID_SETUP, "setup", f"{engine.title} stores begin {ways}. Leave setup out.")
    return wanted or engine.setups[0]


@lru_cache(maxsize=8)
def load_engines(modules: tuple[str, ...]) -> dict[str, Engine]:
    """The engines by name, in the order of the setting. Raises ImportError or ValueError naming the module."""
    engines: dict[str, Engine] = {}
    for name in modules:
        engine = getattr(importlib.import_module(name), "ENGINE", None)
        if not isinstance(engine, Engine):
            raise ValueError(f"{name} holds no ENGINE")
        if engine.name in engines:
            raise ValueError(f"{name}: another engine is called {engine.name!r} already")
        engines[engine.name] = engine
    return engines
