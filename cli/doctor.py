"""`storefleet doctor`: check what stores need here. One line for each check, and how to fix what is missing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from cli import output
from runtime.database import CONNECTION_ERRORS, schema_problem, session_factory
from runtime.queue import open_redis
from runtime.settings import ClusterProfile, Settings
from stores.database_roles import compare_rights
from stores.engines import Manifest
from workers.admission_policy import find_policy_problem
from workers.cluster.api_resources import API_RESOURCES
from workers.cluster.client import Cluster
from workers.cluster.client import connect as connect_cluster
from workers.cluster.errors import ClusterError, MissingConfiguration
from workers.informer import WATCHED_KINDS
from workers.orphans import find_orphans

DEFAULT_CLASS = {
    "IngressClass": "ingressclass.kubernetes.io/is-default-class",
    "StorageClass": "storageclass.kubernetes.io/is-default-class",
}


@dataclass(frozen=True)
class Finding:
    """The result of one check. `fix`: what to do; None: the check passed."""

    subject: str
    text: str
    fix: str | None = None


async def doctor(settings: Settings, profile: ClusterProfile) -> int:
    """Run all checks and print the findings. Returns the exit code: 0 when all checks passed."""
    problems = 0
    async for finding in run_checks(settings, profile):
        if finding.fix is None:
            output.console.print(f"  [green]✓[/green] {finding.subject:<15}{finding.text}", markup=True)
        else:
            problems += 1
            output.console.print(f"  [red]✗[/red] {finding.subject:<15}{finding.text}")
            output.console.print(f"    {'':<15}[dim]{finding.fix}[/dim]")
    return 1 if problems else 0


async def run_checks(settings: Settings, profile: ClusterProfile) -> AsyncIterator[Finding]:
    """Check everything that a worker needs."""
    for finding in await _database(settings):
        yield finding
    yield await _redis(settings)
    try:
        async with connect_cluster(settings.kubeconfig, settings.kube_context) as cluster:
            yield Finding("cluster", f"Kubernetes {await cluster.version()} at {cluster.host}")
            yield await _rights(cluster)
            yield await _admission_policy(settings, cluster)
            if profile.routing == "ingress":
                yield await _class(cluster, "IngressClass", profile.ingress_class, "STOREFLEET_INGRESS_CLASS")
            if profile.wildcard_certificate is not None:
                yield await _wildcard(cluster, profile.ingress_class, profile.wildcard_certificate)
            yield await _class(cluster, "StorageClass", profile.storage_class, "STOREFLEET_STORAGE_CLASS")
            yield await _orphans(settings, cluster)
    except (ClusterError, MissingConfiguration) as error:
        fix = "Check STOREFLEET_KUBECONFIG and STOREFLEET_KUBE_CONTEXT, or the pod's service account."
        yield Finding("cluster", str(error), fix)


async def _database(settings: Settings) -> list[Finding]:
    try:
        async with session_factory(settings.direct_database_url, 2) as sessions, sessions() as session:
            problem = await schema_problem(session)
            if problem is not None:
                return [Finding("database", problem, "Run `storefleet migrate`.")]
            return [Finding("database", "reachable, schema up to date"), await _database_role(settings, session)]
    except CONNECTION_ERRORS as error:
        return [Finding("database", f"can't be reached ({error!r})", "Check STOREFLEET_DATABASE_URL.")]


async def _database_role(settings: Settings, session: AsyncSession) -> Finding:
    """Of this process: an API process has no worker keys."""
    component = "api" if settings.worker_keys is None else "worker"
    missing, excess = await compare_rights(session, component)
    if missing:
        fix = "Run `storefleet migrate` with STOREFLEET_API_DATABASE_URL and STOREFLEET_WORKER_DATABASE_URL."
        return Finding("database role", f"lacks {', '.join(missing)}", fix)
    if not excess:
        return Finding("database role", f"has exactly the rights of {component} processes")
    text = f"may do {len(excess)} things that {component} processes never do, such as {excess[0]}"
    if settings.environment == "development":
        return Finding("database role", f"{text}; development needs no roles")
    return Finding("database role", text, "Give migrations, API and workers a role each: docs/SETUP.md.")


async def _redis(settings: Settings) -> Finding:
    redis = open_redis(settings.redis_url)
    try:
        await redis.ping()
    except (RedisError, OSError, TimeoutError) as error:
        fix = "Check STOREFLEET_REDIS_URL. Without Redis everything but logs works, up to 2 s later."
        return Finding("redis", f"can't be reached ({type(error).__name__})", fix)
    finally:
        await redis.aclose()
    return Finding("redis", "reachable")


async def _rights(cluster: Cluster) -> Finding:
    needed = [("create", "Namespace"), ("get", "Namespace"), ("delete", "Namespace"), ("create", "RoleBinding")]
    needed += [(verb, kind) for kind in WATCHED_KINDS for verb in ("list", "watch")]
    missing = [
        f"{verb} {API_RESOURCES[kind].plural}"
        for verb, kind in needed
        if not await cluster.is_allowed(verb, API_RESOURCES[kind].plural, API_RESOURCES[kind].group)
    ]
    if missing:
        return Finding("rights", f"missing: {', '.join(missing)}", "Give the worker's account its ClusterRole.")
    return Finding("rights", f"all {len(needed)} that are needed cluster-wide")


async def _admission_policy(settings: Settings, cluster: Cluster) -> Finding:
    problem = await find_policy_problem(cluster, settings.admission_policy)
    if problem is None:
        return Finding("admission", "the policy is in force: it limits this account to the namespaces of stores")
    if settings.environment == "development":
        return Finding("admission", f"no policy, and development needs none: {problem}")
    return Finding(
        "admission", problem, "Apply charts/storefleet/files/admission-policy.yaml. Workers don't start without it."
    )


async def _orphans(settings: Settings, cluster: Cluster) -> Finding:
    try:
        async with session_factory(settings.direct_database_url, 2) as sessions, sessions() as session:
            orphans = await find_orphans(cluster, session)
    except CONNECTION_ERRORS:
        return Finding("orphans", "can't be checked without the database", "See above.")
    if orphans:
        fix = "An old database? Restore each store: storefleet adopt NAMESPACE. Storefleet never deletes them."
        return Finding("orphans", f"namespaces without a row: {', '.join(orphans)}", fix)
    return Finding("orphans", "every store's namespace has its row")


async def _class(cluster: Cluster, kind: str, name: str | None, setting: str) -> Finding:
    items, _ = await cluster.list(kind)
    names = [item["metadata"]["name"] for item in items]
    if name is not None:
        if name in names:
            return Finding(kind, name)
        return Finding(kind, f"{name} doesn't exist", f"Set {setting} to one of: {', '.join(names) or '(none)'}.")
    default = [item["metadata"]["name"] for item in items if _is_default(kind, item)]
    if default:
        return Finding(kind, f"{default[0]} (the cluster's default)")
    return Finding(kind, "the cluster has no default", f"Set {setting} to one of: {', '.join(names) or '(none)'}.")


async def _wildcard(cluster: Cluster, name: str | None, certificate: str) -> Finding:
    """Contour has no default certificate for Ingresses; other controllers can't use a Secret of another namespace."""
    items, _ = await cluster.list("IngressClass")
    chosen = [item for item in items if (item["metadata"]["name"] == name if name else _is_default(item["kind"], item))]
    contour = any(item["spec"].get("controller", "").startswith("projectcontour.io/") for item in chosen)
    if contour and certificate == "default":
        fix = "Set STOREFLEET_WILDCARD_CERTIFICATE to a Secret's namespace/name, and delegate it: docs/ADDRESSES.md."
        return Finding("certificate", "Contour has no default certificate for Ingresses", fix)
    if not contour and certificate != "default":
        fix = "Set STOREFLEET_WILDCARD_CERTIFICATE=default, and give the controller that Secret as its own default."
        return Finding("certificate", "only Contour can use a Secret of another namespace", fix)
    return Finding("certificate", f"{certificate}, for all Ingresses")


def _is_default(kind: str, item: Manifest) -> bool:
    annotations = item["metadata"].get("annotations") or {}
    return bool(annotations.get(DEFAULT_CLASS[kind]) == "true")
