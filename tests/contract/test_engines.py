"""Rendered manifests are applied as by the worker, and a second apply changes nothing."""

import asyncio
import uuid
from functools import partial

import pytest

from stores.engines import Manifest
from tests.contract.objects import retry_temporary
from tests.support.rendered import ENGINES, render
from workers.cluster.client import Cluster
from workers.predicates import relevant_state


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_second_apply_changes_nothing(cluster: Cluster, engine: str) -> None:
    made = render(ENGINES[engine], store_id=uuid.uuid4())
    await cluster.create(made.namespace)
    try:
        for item in made.isolation:
            if item["kind"] == "RoleBinding":
                await cluster.create(item)
        applied = [item for item in made.isolation if item["kind"] != "RoleBinding"]
        await asyncio.gather(*(retry_temporary(partial(cluster.apply, item)) for item in applied))
        applied += made.resources

        async def all_of_it() -> list[Manifest]:
            return await asyncio.gather(*(retry_temporary(partial(cluster.apply, item)) for item in applied))

        for before, after in zip(await all_of_it(), await all_of_it(), strict=True):
            assert relevant_state(after).spec == relevant_state(before).spec, after
            if "status" not in after:  # statuses move by themselves
                assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"], after
        for job in (made.install, made.proof):
            if job is not None:
                await retry_temporary(partial(cluster.create, job))
    finally:
        await cluster.delete("Namespace", made.namespace["metadata"]["name"])
