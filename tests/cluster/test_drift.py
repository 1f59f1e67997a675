"""The tests of drift on a real API server, whose rules for apply, defaults and deletion are its own."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support import drift
from tests.support.harness import Harness, run_harness


@pytest_asyncio.fixture(name="harness")
async def on_a_real_server(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Harness]:
    kubeconfig = Path(os.environ["STOREFLEET_TEST_KUBECONFIG"])
    async with run_harness(database_url, redis_url, tmp_path, cluster=(kubeconfig, kubeconfig)) as made:
        yield made


async def test_foreign_fields_are_removed_and_reported(harness: Harness) -> None:
    await drift.check_all_restored(harness, drift.ADDITIONS)


async def test_drift_is_corrected_and_reported(harness: Harness) -> None:
    await drift.check_that_drift_is_corrected_and_reported(harness)


async def test_many_changes_are_each_told(harness: Harness) -> None:
    await drift.check_that_many_changes_are_each_told(harness)


async def test_what_kubernetes_itself_changes_is_no_drift(harness: Harness) -> None:
    await drift.check_that_what_kubernetes_itself_changes_is_no_drift(harness)


async def test_a_deleted_disk_is_reported_before_and_after_its_removal(harness: Harness) -> None:
    await drift.check_that_a_deleted_disk_is_reported_before_and_after_its_removal(harness)


async def test_a_deleted_namespace_is_not_recreated_empty(harness: Harness) -> None:
    await drift.check_that_a_deleted_namespace_is_not_recreated_empty(harness)
