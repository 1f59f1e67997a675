"""`storefleet adopt NAMESPACE`: restore the row of a store without one, or take a namespace that a backup restored."""

from accounts.errors import CallerError
from cli import output
from runtime.database import session_factory
from runtime.sealing import Keyring
from runtime.settings import ClusterProfile, Settings
from stores.adoption import adopt as add_row
from stores.adoption import row_of
from stores.engines import load_engines
from stores.names import platform_label
from workers.adoption import AdoptionError, discover_store, recover_secrets
from workers.cluster.client import connect as connect_cluster
from workers.cluster.errors import ClusterError, MissingConfiguration

ARGUMENTS = (None, "namespace", "owner")
"""Values of CallerError.field for the arguments of the command; others are about the description in the namespace."""


async def adopt(settings: Settings, profile: ClusterProfile, namespace: str, owner: str | None) -> int:
    """Add the store's row, or give the row its restored namespace; workers then verify it and prove the store.

    Returns the exit code: 0: done; 1: refused, with a message; 2: the settings lack worker keys.
    """
    if settings.worker_keys is None:
        output.error("adopting seals secrets, and needs STOREFLEET_WORKER_KEYS; see .env.example")
        return 2
    admin_keys = Keyring.parse(settings.admin_keys.get_secret_value())
    worker_keys = Keyring.parse(settings.worker_keys.get_secret_value())
    engines = load_engines(settings.engines)
    try:
        async with connect_cluster(settings.kubeconfig, settings.kube_context) as cluster:
            description = await discover_store(cluster, namespace)
            store = row_of(description, engines, settings.cluster)
            name, slug = store.name, store.slug
            engine = engines[store.engine]
            values = await recover_secrets(cluster, store, engine, profile)
        sealed = {
            field.name: (admin_keys if field.revealable else worker_keys).seal(store.id, field.name, values[field.name])
            for field in engine.secrets
        }
        async with session_factory(settings.direct_database_url, 2) as sessions, sessions.begin() as session:
            added = await add_row(
                session,
                store,
                sealed,
                engine=engine,
                platform_label=platform_label(settings.public_url, profile.base_domain),
                owner=owner,
            )
    except CallerError as error:
        prefix = "" if error.field in ARGUMENTS else f"{namespace}: its {error.field} can't be used: "
        output.error(prefix + error.message)
        return 1
    except (AdoptionError, ClusterError, MissingConfiguration) as error:
        output.error(str(error))
        return 1
    done = "is in the database again" if added else "has the restored namespace"
    output.echo(f"{name} ({slug}) {done}; a worker verifies it now: storefleet watch {slug}")
    return 0
