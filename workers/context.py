"""What every part of a worker needs, made once at start."""

from collections.abc import Mapping
from dataclasses import dataclass

from runtime.database import Sessions
from runtime.queue import Nudger
from runtime.sealing import Keyring
from runtime.settings import ClusterProfile, Settings
from stores.engines import Engine
from workers.cluster.client import Cluster


@dataclass(frozen=True)
class Context:
    """One worker process."""

    holder: str
    """Its name in lease rows."""
    settings: Settings
    profile: ClusterProfile
    sessions: Sessions
    cluster: Cluster
    nudger: Nudger
    engines: Mapping[str, Engine]
    shown_keys: Keyring
    """Seals what the API may show."""
    hidden_keys: Keyring
    """Seals what only workers open."""

    @property
    def releases(self) -> list[tuple[str, str]]:
        """The (engine, release)s whose manifests this worker can make."""
        return [(engine.name, release) for engine in self.engines.values() for release in engine.releases]
