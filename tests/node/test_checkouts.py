"""Shoppers buy while a store's database is killed and its web pod is replaced: nobody's order is lost, none is cut."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from tests.flow.fleet import Fleet
from tests.flow.test_drift import do, path
from tests.node.conftest import NEEDS_PLUGIN
from tests.node.real import RealNode
from tests.node.shoppers import NOBODY_THERE, database_of, opened, orders, shopping
from tests.node.test_life import is_another, lacks, pods

pytestmark = NEEDS_PLUGIN
SHOPPERS = 5
RESTARTED = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-24"}}}}}


async def test_a_killed_database_has_every_order_that_was_acknowledged(fleet: Fleet, node: RealNode) -> None:
    store, namespace = await opened(fleet)
    async with shopping(fleet, store, SHOPPERS) as shop:
        for _ in range(2):
            await shop.sell(6)
            killed = await database_of(fleet, node, namespace)
            os.kill(killed.pid, signal.SIGKILL)
            await asyncio.to_thread(killed.wait, 10)
        await shop.sell(6)
    assert shop.refusals, "they bought on while there was no database"
    assert len(set(shop.keys)) == len(shop.keys) >= 18
    assert set(shop.keys) <= await orders(fleet, node, namespace)
    await fleet.eventually(store["id"], seconds=60, status="READY", health="HEALTHY")


async def test_a_web_pod_that_is_replaced_cuts_no_order(fleet: Fleet, node: RealNode) -> None:
    store, namespace = await opened(fleet)
    async with shopping(fleet, store, SHOPPERS) as shop:
        await shop.sell(6)
        web = (await pods(fleet, namespace))["web"]["metadata"]
        await do(fleet, "DELETE", f"/api/v1/namespaces/{namespace}/pods/{web['name']}")
        await fleet.poll(is_another(fleet, namespace, "web", web["uid"]), 60)
        await shop.sell(12)

        refused, web = len(shop.refusals), (await pods(fleet, namespace))["web"]["metadata"]
        await do(fleet, "PATCH", path(namespace, "deployments", "web"), RESTARTED)
        await fleet.poll(is_gone(fleet, namespace, web["name"]), 60)
        await shop.sell(6)
        assert shop.refusals[refused:] == []  # the next pod was there before that one went
    assert shop.cut == []
    assert set(shop.refusals) <= {NOBODY_THERE}  # and each of these bought in the end
    assert set(shop.keys) == await orders(fleet, node, namespace)
    assert len(set(shop.keys)) == len(shop.keys) >= 24


def is_gone(fleet: Fleet, namespace: str, pod: str) -> Callable[[], Awaitable[bool]]:
    return lambda: lacks(fleet, f"/api/v1/namespaces/{namespace}/pods/{pod}")
