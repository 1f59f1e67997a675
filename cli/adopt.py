"""`storefleet adopt NAMESPACE`: take back a store that the cluster has and the database doesn't."""

from accounts.errors import CallerError
from cli import screen
from runtime.database import connect
from runtime.sealing import Keyring
from runtime.settings import ClusterProfile, Settings
from stores.adoption import adopt as adopt_row
from stores.engines import load_engines
from stores.names import own_label
from workers.cluster.client import connect as connect_cluster
from workers.cluster.errors import ClusterError, Unconfigured
from workers.orphans import Unadoptable, find, recover

DESCRIBED = ("name", "slug", "email", "country", "currency", "language", "setup")
"""Fields of a CallerError that come from what the namespace says of its store."""


async def adopt(settings: Settings, profile: ClusterProfile, namespace: str, owner: str | None) -> int:
    """0 when the store is in the database again; workers do the rest."""
    if settings.worker_keys is None:
        screen.failed("adopting seals secrets, and needs STOREFLEET_WORKER_KEYS; see .env.example")
        return 2
    shown = Keyring.parse(settings.admin_keys.get_secret_value())
    hidden = Keyring.parse(settings.worker_keys.get_secret_value())
    engines = load_engines(settings.engines)
    try:
        async with connect_cluster(settings.kubeconfig, settings.kube_context) as cluster:
            found = await find(cluster, namespace)
            values = await recover(cluster, found, engines, profile)
        engine = engines[found.description["engine"]]
        sealed = {
            field.name: (shown if field.shown else hidden).seal(found.store_id, field.name, values[field.name])
            for field in engine.secrets
        }
        async with connect(settings.database_url, 2) as sessions, sessions.begin() as session:
            store = await adopt_row(
                session,
                found,
                sealed,
                engine=engine,
                cluster=settings.cluster,
                own_label=own_label(settings.public_url, profile.base_domain),
                owner=owner,
            )
            name, slug = store.name, store.slug
    except CallerError as error:
        what = f"the {error.field} that {namespace} names can't be used: " if error.field in DESCRIBED else ""
        screen.failed(what + error.message)
        return 1
    except (Unadoptable, ClusterError, Unconfigured) as error:
        screen.failed(str(error))
        return 1
    screen.say(f"{name} ({slug}) is back; a worker verifies and proves it now: storefleet watch {slug}")
    return 0
