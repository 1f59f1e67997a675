"""The profile revision of this worker (stores/profile_revisions.py): registered once, then kept up to date."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from prometheus_client import Gauge

from runtime.settings import ClusterProfile
from stores.engines import Engine, StoreSpec, pending_field
from stores.plans import PLANS, Plan
from stores.profile_revisions import refresh, register

if TYPE_CHECKING:
    from workers.context import Context

REFRESH_SECONDS = 10.0

REVISION = Gauge("storefleet_profile_revision", "The profile revision of this worker")

log = structlog.get_logger()


@dataclass
class OwnRevision:
    """The revision of this worker. `number`: None until it is registered; until then no store is claimed."""

    number: int | None = None
    refreshes: int = 0


def render_digest(engines: Mapping[str, Engine], profile: ClusterProfile) -> str:
    """SHA-256 over the manifests of an example store of each engine, release and plan: another version or other
    settings that change a manifest have another digest."""
    digest = hashlib.sha256()
    for engine in engines.values():
        names = [secret.name for secret in engine.secrets]
        values = {key: key for name in names for key in (name, pending_field(name))}
        for release in engine.releases:
            for plan in PLANS.values():
                manifests = engine.render(example_spec(release, plan), values, profile)
                digest.update(json.dumps([engine.name, vars(manifests)], sort_keys=True).encode())
    return digest.hexdigest()


def example_spec(release: str, plan: Plan) -> StoreSpec:
    """Of a store that doesn't exist, to render manifests."""
    return StoreSpec(
        store_id=UUID(int=0),
        account_id=UUID(int=0),
        name="Example",
        slug="example",
        plan=plan,
        release=release,
        admin_email="owner@example.com",
        country="DE",
        currency="EUR",
        language="en-US",
        setup="ready",
    )


async def run_profile_revision(context: "Context", on_registered: Callable[[], None]) -> None:
    """Register this worker's revision, then refresh it. Never returns. Raises database errors; then call it again."""
    cluster, own = context.settings.cluster, context.profile_revision
    digest = render_digest(context.engines, context.profile)
    while True:
        async with context.sessions.begin() as session:
            if own.number is None:
                number = await register(session, cluster, digest)
            else:
                number = await refresh(session, cluster, digest, own.number)
        own.refreshes += 1
        if number != own.number:
            log.info("profile_revision.changed", number=number, cluster=cluster)
            own.number = number
            REVISION.set(number)
            on_registered()
        await asyncio.sleep(REFRESH_SECONDS)
