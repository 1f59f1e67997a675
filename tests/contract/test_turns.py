"""Calls wait for their turn, which is no part of a call's time; a write is looked at once more when its turn comes."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from stores.leases import LeaseLost
from tests.contract.conftest import Server
from tests.contract.objects import names, settings
from tests.unit.simulator_client import Client
from workers.cluster import client
from workers.cluster.client import Cluster, connect


@pytest_asyncio.fixture
async def single(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """One call at a time."""
    monkeypatch.setattr(client, "CALLS", 1)
    async with connect(server.kubeconfig) as connected:
        yield connected


async def test_waiting_for_a_turn_is_no_part_of_a_calls_time(
    single: Cluster, namespace: str, controls: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CALL_SECONDS", 0.9)
    await controls.faults({"fault": "hang", "kind": "ConfigMap", "seconds": 0.4})
    await asyncio.gather(*(single.apply(settings(namespace, f"map-{number}")) for number in range(4)))


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
