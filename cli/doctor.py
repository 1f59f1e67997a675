"""`storefleet doctor`: what is missing for stores to run here, a line each, with what to do about it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from cli import screen
from runtime.database import connect, schema_problem
from runtime.queue import open_redis
from runtime.settings import ClusterProfile, Settings
from stores.engines import Manifest
from workers.cluster.client import Cluster
from workers.cluster.client import connect as connect_cluster
from workers.cluster.errors import ClusterError, Unconfigured
from workers.cluster.kinds import KINDS
from workers.fence import missing_fence
from workers.observe import KINDS as OBSERVED
from workers.orphans import find_orphans

DEFAULT_CLASS = {
    "IngressClass": "ingressclass.kubernetes.io/is-default-class",
    "StorageClass": "storageclass.kubernetes.io/is-default-class",
}


@dataclass(frozen=True)
class Finding:
    """One line. `cure` says what to do; None: it is well."""

    subject: str
    text: str
    cure: str | None = None


async def doctor(settings: Settings, profile: ClusterProfile) -> int:
    """0 when nothing is missing."""
    ill = 0
    async for finding in examine(settings, profile):
        if finding.cure is None:
            screen.console.print(f"  [green]✓[/green] {finding.subject:<14}{finding.text}", markup=True)
        else:
            ill += 1
            screen.console.print(f"  [red]✗[/red] {finding.subject:<14}{finding.text}")
            screen.console.print(f"    {'':<14}[dim]{finding.cure}[/dim]")
    return 1 if ill else 0


async def examine(settings: Settings, profile: ClusterProfile) -> AsyncIterator[Finding]:
    """Everything that a worker needs."""
    yield await _database(settings)
    yield await _redis(settings)
    try:
        async with connect_cluster(settings.kubeconfig, settings.kube_context) as cluster:
            yield Finding("cluster", f"Kubernetes {await cluster.version()} at {cluster.host}")
            yield await _rights(cluster)
            yield await _fence(settings, cluster)
            if profile.routing == "ingress":
                yield await _class(cluster, "IngressClass", profile.ingress_class, "STOREFLEET_INGRESS_CLASS")
            if profile.wildcard_certificate is not None:
                yield await _wildcard(cluster, profile.ingress_class, profile.wildcard_certificate)
            yield await _class(cluster, "StorageClass", profile.storage_class, "STOREFLEET_STORAGE_CLASS")
            yield await _orphans(settings, cluster)
    except (ClusterError, Unconfigured) as error:
        cure = "Check STOREFLEET_KUBECONFIG and STOREFLEET_KUBE_CONTEXT, or the pod's service account."
        yield Finding("cluster", str(error), cure)


async def _database(settings: Settings) -> Finding:
    try:
        async with connect(settings.database_url, 2) as sessions, sessions() as session:
            problem = await schema_problem(session)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return Finding("database", f"can't be reached ({type(error).__name__})", "Check STOREFLEET_DATABASE_URL.")
    if problem is not None:
        return Finding("database", problem, "Run `storefleet migrate`.")
    return Finding("database", "reachable, schema up to date")


async def _redis(settings: Settings) -> Finding:
    redis = open_redis(settings.redis_url)
    try:
        await redis.ping()
    except (RedisError, OSError, TimeoutError) as error:
        cure = "Check STOREFLEET_REDIS_URL. Without Redis everything but logs works, up to 2 s later."
        return Finding("redis", f"can't be reached ({type(error).__name__})", cure)
    finally:
        await redis.aclose()
    return Finding("redis", "reachable")


async def _rights(cluster: Cluster) -> Finding:
    wanted = [("create", "Namespace"), ("get", "Namespace"), ("delete", "Namespace"), ("create", "RoleBinding")]
    wanted += [(verb, kind) for kind in OBSERVED for verb in ("list", "watch")]
    missing = [
        f"{verb} {KINDS[kind].plural}"
        for verb, kind in wanted
        if not await cluster.may(verb, KINDS[kind].plural, KINDS[kind].group)
    ]
    if missing:
        return Finding("rights", f"missing: {', '.join(missing)}", "Give the worker's account its ClusterRole.")
    return Finding("rights", f"all {len(wanted)} that are needed cluster-wide")


async def _fence(settings: Settings, cluster: Cluster) -> Finding:
    problem = await missing_fence(cluster)
    if problem is None:
        return Finding("fence", "in force: this account is kept to the namespaces of stores")
    if settings.environment == "development":
        return Finding("fence", f"none, and none is needed in development: {problem}")
    return Finding("fence", problem, "Apply charts/storefleet/files/fence.yaml. Workers don't start without it.")


async def _orphans(settings: Settings, cluster: Cluster) -> Finding:
    try:
        async with connect(settings.database_url, 2) as sessions, sessions() as session:
            orphans = await find_orphans(cluster, session)
    except (SQLAlchemyError, OSError, TimeoutError):
        return Finding("orphans", "can't be looked for without the database", "See above.")
    if orphans:
        cure = "An old database? Take each back: storefleet adopt NAMESPACE. Storefleet never deletes them."
        return Finding("orphans", f"namespaces without a row: {', '.join(orphans)}", cure)
    return Finding("orphans", "every store's namespace has its row")


async def _class(cluster: Cluster, kind: str, wanted: str | None, setting: str) -> Finding:
    there, _ = await cluster.list(kind)
    names = [item["metadata"]["name"] for item in there]
    if wanted is not None:
        if wanted in names:
            return Finding(kind, wanted)
        return Finding(kind, f"{wanted} doesn't exist", f"Set {setting} to one of: {', '.join(names) or '(none)'}.")
    default = [item["metadata"]["name"] for item in there if _is_default(kind, item)]
    if default:
        return Finding(kind, f"{default[0]} (the cluster's default)")
    return Finding(kind, "the cluster has no default", f"Set {setting} to one of: {', '.join(names) or '(none)'}.")


async def _wildcard(cluster: Cluster, wanted: str | None, certificate: str) -> Finding:
    """Contour's Ingresses have no default certificate, and no others take a Secret of another namespace."""
    there, _ = await cluster.list("IngressClass")
    chosen = [
        item for item in there if (item["metadata"]["name"] == wanted if wanted else _is_default(item["kind"], item))
    ]
    contour = any(item["spec"].get("controller", "").startswith("projectcontour.io/") for item in chosen)
    if contour and certificate == "default":
        cure = "Set STOREFLEET_WILDCARD_CERTIFICATE to a Secret's namespace/name, and delegate that: docs/ADDRESSES.md."
        return Finding("certificate", "Contour has none by default for Ingresses", cure)
    if not contour and certificate != "default":
        cure = "Set STOREFLEET_WILDCARD_CERTIFICATE=default, and give the controller that Secret as its own default."
        return Finding("certificate", "only Contour takes a Secret of another namespace", cure)
    return Finding("certificate", f"{certificate}, for all Ingresses")


def _is_default(kind: str, item: Manifest) -> bool:
    annotations = item["metadata"].get("annotations") or {}
    return bool(annotations.get(DEFAULT_CLASS[kind]) == "true")
