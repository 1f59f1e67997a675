"""Shoppers buy while the database is killed or the web pod is replaced: no order is lost or interrupted."""

import asyncio
import os
import signal
from functools import partial

from tests.node.plugin import NEEDS_PLUGIN
from tests.node.real_node import RealNode
from tests.node.shoppers import NO_HEALTHY_UPSTREAM, create_open_store, database_of, orders, run_shoppers
from tests.node.stores import is_replaced, pods
from tests.support.harness import Harness
from tests.support.stores import is_gone, object_path, request_object
from tests.support.waiting import wait_until

pytestmark = NEEDS_PLUGIN
SHOPPERS = 5
RESTARTED = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-24"}}}}}


async def test_a_killed_database_has_every_order_that_was_acknowledged(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_open_store(harness)
    async with run_shoppers(harness, store, SHOPPERS) as shop:
        for _ in range(2):
            await shop.sell(6)
            killed = await database_of(harness, node, namespace)
            os.kill(killed.pid, signal.SIGKILL)
            await asyncio.to_thread(killed.wait, 10)
        await shop.sell(6)
    assert shop.refusals, "they bought on while there was no database"
    assert len(set(shop.keys)) == len(shop.keys) >= 18
    assert set(shop.keys) <= await orders(harness, node, namespace)
    await harness.wait_for_store(store["id"], status="READY", health="HEALTHY")


async def test_a_web_pod_that_is_replaced_cuts_no_order(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_open_store(harness)
    async with run_shoppers(harness, store, SHOPPERS) as shop:
        await shop.sell(6)
        web = (await pods(harness, namespace))["web"]["metadata"]
        await request_object(harness, "DELETE", f"/api/v1/namespaces/{namespace}/pods/{web['name']}")
        await wait_until(is_replaced(harness, namespace, "web", web["uid"]))
        await shop.sell(12)

        refused, web = len(shop.refusals), (await pods(harness, namespace))["web"]["metadata"]
        await request_object(harness, "PATCH", object_path(namespace, "deployments", "web"), RESTARTED)
        await wait_until(partial(is_gone, harness, f"/api/v1/namespaces/{namespace}/pods/{web['name']}"))
        await shop.sell(6)
        assert shop.refusals[refused:] == []  # the next pod was there before that one went
    assert shop.interrupted == []
    # by the ingress or by the platform's page; and each of these bought in the end
    refusals = set(shop.refusals) - {NO_HEALTHY_UPSTREAM}
    assert {(status, page.partition("\n")[0]) for status, page in refusals} <= {(503, "<!doctype html>")}
    assert set(shop.keys) == await orders(harness, node, namespace)
    assert len(set(shop.keys)) == len(shop.keys) >= 24
