"""Drift in a simulated cluster: foreign changes of a READY store's objects."""

from tests.support import drift
from tests.support.harness import Harness


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
