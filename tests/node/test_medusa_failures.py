"""What fails in a MedusaJS store on the node, in words that its owner reads, and the recovery."""

import base64
from pathlib import Path

import pytest

from tests.node.disks import full_disk
from tests.node.image_variants import import_variant
from tests.node.medusa import ORDERS, StorefrontSession, create_medusa_store, rows
from tests.node.real_node import RealNode
from tests.node.shoppers import run_shoppers, wait_until_open
from tests.node.stores import create_store, retry_until_ready, wait_for_failure
from tests.support.harness import Harness
from tests.support.stores import wait_for_health_cause
from workers.engines import postgres

ESTRANGED = "docker.io/library/postgres:estranged"
ANOTHER_PASSWORD = "#!/bin/sh\ncat >/dev/null\necho another\n"
"""Instead of sed, through which the first start of the database gets its user's password."""
REFUSED = "The database refuses the user of Medusa: its password is not the one the database was made with."


@pytest.mark.parametrize("changes", [{"postgres_image": "postgres:estranged"}], indirect=True)
async def test_a_database_that_refuses_the_password(
    harness: Harness, node: RealNode, archives: dict[str, Path], tmp_path: Path
) -> None:
    await import_variant(
        node, archives["postgres"], tmp_path / "image", ESTRANGED, {"/usr/local/bin/sed": ANOTHER_PASSWORD}
    )
    store, namespace = await create_store(harness, engine="MEDUSA")
    what, _, why = (await wait_for_failure(harness, store)).partition(" (exit code 1). ")
    assert what in ("The web container ended", "The web container keeps crashing")
    assert why == f"{REFUSED} See its logs, then retry."

    _, secret = await harness.kubernetes_request("GET", f"/api/v1/namespaces/{namespace}/secrets/database")
    password = base64.b64decode(secret["data"]["password"]).decode()
    await rows(harness, node, namespace, f"ALTER ROLE medusa PASSWORD '{password}'")
    await retry_until_ready(harness, store)


async def test_a_full_disk_loses_no_order_that_was_acknowledged(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_medusa_store(harness)
    async with run_shoppers(harness, store, 2, StorefrontSession) as shop:
        await shop.sell(2)
        async with full_disk(harness, node, namespace, "database", "postgres", postgres.VOLUME):
            found = await wait_for_health_cause(harness, store, "The disk of database is full.")
            assert (found["status"], found["health"]["state"]) == ("READY", "DOWN")
        await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")
        await wait_until_open(harness, store)
        await shop.sell(2)
    assert set(shop.keys) <= set(await rows(harness, node, namespace, ORDERS))
