"""The connections and configuration that all tasks of a worker share, created once at its start."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from runtime.database import SessionFactory
from runtime.queue import Enqueuer
from runtime.sealing import Keyring
from runtime.settings import ClusterProfile, Settings
from stores.engines import Engine
from workers.cluster.client import Cluster
from workers.probes import Probes
from workers.profile_revision import OwnRevision


@dataclass(frozen=True)
class Context:
    """The connections and configuration of one worker process."""

    holder: str
    """The identity of this worker in lease rows."""
    settings: Settings
    profile: ClusterProfile
    sessions: SessionFactory
    cluster: Cluster
    enqueuer: Enqueuer
    engines: Mapping[str, Engine]
    admin_keys: Keyring
    """Seals secrets that the API may reveal."""
    worker_keys: Keyring
    """Seals secrets that only workers unseal."""
    probes: Probes
    profile_revision: OwnRevision = field(default_factory=OwnRevision)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the worker ends: passes and messages that are under way are the last ones."""

    @property
    def releases(self) -> list[tuple[str, str]]:
        """The pairs (engine, release) that this worker can render."""
        return [(engine.name, release) for engine in self.engines.values() for release in engine.releases]
