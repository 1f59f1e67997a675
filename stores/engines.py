"""The interface of engines, and which engines this installation offers.

Each module that the setting `engines` names defines `ENGINE: Engine`. No other code refers to it.
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
"""How a store is set up at first: ready to sell, or ready to sell and with a setup wizard for its owner."""

Manifest = dict[str, Any]
"""A Kubernetes object as JSON."""


@dataclass(frozen=True)
class StoreSpec:
    """Everything that a store's manifests may depend on, apart from its secrets and the cluster's profile."""

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
    """A secret that a worker generates once per store, seals in Postgres and puts in Kubernetes Secrets."""

    name: str
    generate: Callable[[], str]
    revealable: bool = False
    """Whether the owner may see it: it is sealed with the key that the API has."""


def pending_field(field: str) -> str:
    """The name of the field that holds the next value of `field` during a rotation."""
    return f"{field}-next"


@dataclass(frozen=True)
class EngineStep:
    """A step of provisioning: done when the object is ready (Deployment, StatefulSet) or complete (Job)."""

    name: str
    title: str
    kind: Literal["Deployment", "StatefulSet", "Job"]
    object: str
    """The object's name; of a Job its component (`install`), because its name has the hash of the spec."""


@dataclass(frozen=True)
class Manifests:
    """A rendered store, in the order of creation: the namespace, its isolation, then everything else in parallel."""

    namespace: Manifest
    isolation: Sequence[Manifest]
    resources: Sequence[Manifest]
    """Applied in parallel, server-side."""
    install: Manifest | None
    """A Job (created, never patched), or None if the engine needs none. Its name has no hash and attempt yet."""
    proof: Manifest
    """A Job whose pod writes the receipt as its termination message. Its name has no hash and attempt yet."""
    rotation: tuple[Manifest, Manifest] | None = None
    """A Secret with the next admin password and a Job that sets it; None outside of a rotation. Its name has no
    generation yet. Not part of `spec_hash`."""

    @property
    def spec_hash(self) -> str:
        """SHA-256 over all manifests but the rotation and RoleBindings, without the values of Secrets.

        A RoleBinding is about the worker, not about what was proven.
        """
        objects = [self.namespace, *self.isolation, *self.resources, self.install, self.proof]
        redacted = [
            {key: value for key, value in item.items() if key not in ("data", "stringData")}
            if item["kind"] == "Secret"
            else item
            for item in objects
            if item is not None and item["kind"] != "RoleBinding"
        ]
        return hashlib.sha256(json.dumps(redacted, sort_keys=True).encode()).hexdigest()


def _no_release(spec: StoreSpec, secrets: Mapping[str, str], profile: ClusterProfile) -> Manifests:
    raise LookupError(f"the engine has no release {spec.release}")


@dataclass(frozen=True)
class Engine:
    """One kind of store. `render` is pure: the same input gives the same manifests, in any process."""

    name: str
    """In lower case; in GraphQL a member of the enum Engine, in upper case."""
    title: str
    releases: Sequence[str]
    """Oldest first; a new store is pinned to the last. Empty: the engine isn't available yet."""
    description: str = ""
    """One sentence for merchants."""
    steps: Sequence[EngineStep] = ()
    secrets: Sequence[SecretField] = ()
    components: Sequence[str] = ()
    """The components that have pods, and therefore logs."""
    setups: Sequence[str] = SETUPS[:1]
    """The supported SETUPS, the default first."""
    rotates: bool = False
    """Whether the admin password can be rotated: `render` returns a rotation."""
    admin_username: str | None = "admin"
    """None: the admin signs in with the store's e-mail address."""
    admin_path: str = "/"
    """The path of the admin's sign-in, below the store's URL."""
    essential: Sequence[str] = ()
    """Names of the Deployments and StatefulSets: the store is DOWN when one of them is."""
    render: Callable[[StoreSpec, Mapping[str, str], ClusterProfile], Manifests] = field(default=_no_release, repr=False)

    @property
    def available(self) -> bool:
        return bool(self.releases)

    @property
    def admin_password_field(self) -> SecretField:
        """The revealable secret: the password of the store's admin. Raises StopIteration without one."""
        return next(item for item in self.secrets if item.revealable)


def require_engine(engines: Mapping[str, Engine], name: str) -> Engine:
    """The engine of an existing store. Raises CallerError if this installation doesn't offer it (any more, or yet)."""
    if name not in engines:
        message = f"This installation doesn't offer the engine {name} now. Ask its operator."
        raise CallerError(Code.ENGINE_UNAVAILABLE, "id", message)
    return engines[name]


def choose_setup(engine: Engine, wanted: str | None) -> str:
    """The setup of a new store; `wanted` None: the engine's default. Raises CallerError."""
    if wanted is not None and wanted not in engine.setups:
        names = " or ".join(name.upper() for name in engine.setups)
        raise CallerError(Code.INVALID_SETUP, "setup", f"{engine.title} stores begin {names}. Leave setup out.")
    return wanted or engine.setups[0]


@lru_cache(maxsize=8)
def load_engines(modules: tuple[str, ...]) -> dict[str, Engine]:
    """The engines by name, in the order of the setting. Raises ImportError, or ValueError that names the module."""
    engines: dict[str, Engine] = {}
    for name in modules:
        engine = getattr(importlib.import_module(name), "ENGINE", None)
        if not isinstance(engine, Engine):
            raise ValueError(f"{name} defines no ENGINE")
        if engine.name in engines:
            raise ValueError(f"{name}: another engine is called {engine.name!r} already")
        engines[engine.name] = engine
    return engines
