"""Calls wait for a free slot, which isn't part of their timeout. A write is checked again when it gets its slot."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from stores.leases import LeaseLost
from tests.contract.conftest import Server
from tests.contract.objects import names, settings
from tests.support.simulator_client import Client
from tests.support.waiting import HANG_SECONDS
from workers.cluster import client
from workers.cluster.client import Cluster, connect


@pytest_asyncio.fixture
async def single(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """A client that makes one call at a time."""
    monkeypatch.setattr(client, "MAX_CONCURRENT_REQUESTS", 1)
    async with connect(server.kubeconfig) as connected:
        yield connected


async def test_waiting_for_a_turn_is_no_part_of_a_calls_time(
    single: Cluster, namespace: str, controls: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REQUEST_TIMEOUT", HANG_SECONDS)
    await controls.faults({"fault": "hang", "kind": "ConfigMap", "seconds": HANG_SECONDS, "times": 1})
    first = asyncio.create_task(single.apply(settings(namespace, "first")))
    await controls.until("/_sim/faults", lambda rows: rows[0]["times"] == 0)
    monkeypatch.setattr(client, "REQUEST_TIMEOUT", 1.0)
    second = asyncio.create_task(single.apply(settings(namespace, "second")))
    await asyncio.sleep(1.1)
    await controls.faults()  # the first call gets its response
    await asyncio.gather(first, second)


async def test_a_write_that_may_no_longer_be_sent_is_not_sent(single: Cluster, namespace: str) -> None:
    asked = []

    def guard(name: str, *, may: bool) -> client.Guard:
        def check() -> None:
            asked.append(name)
            if not may:
                raise LeaseLost

        return check

    first, second = (settings(namespace, name) for name in ("first", "second"))
    calls = (
        single.create(first, guard("create", may=True)),
        single.create(second, guard("late create", may=False)),
        single.apply(second, guard("late apply", may=False)),
        single.delete("ConfigMap", "first", namespace, guard("late delete", may=False)),
    )
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results[1:]] == [LeaseLost] * 3
    assert asked == ["create", "late create", "late apply", "late delete"]
    found = await names(single, "ConfigMap", namespace)
    assert ("first" in found, "second" in found) == (True, False)
