"""`storefleet keys reseal` seals all secrets with the first key of their ring, also after a kill in the middle."""

from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from runtime.sealing import Keyring, generate_key
from schema.ids import decode_id
from stores.resealing import BATCH_SIZE
from stores.webhooks.secrets import open_secret
from tests.support.harness import Harness, process_environment
from tests.support.processes import StorefleetProcess, start_storefleet
from tests.support.rows import new_store
from tests.support.stores import create_ready_store, wait_until_idle
from tests.support.waiting import hang_limit, wait_until
from tests.support.webhooks import mutate
from workers.main import worker_lifespan

STORES = BATCH_SIZE + 10


async def start(harness: Harness, **variables: str) -> StorefleetProcess:
    """Start the command. Both its outputs are in stdout."""
    environment = process_environment(harness.worker_settings, **variables)
    process = await start_storefleet("keys", "reseal", environment=environment, stderr=True)
    harness.processes.append(process)
    return process


async def run(harness: Harness, **variables: str) -> tuple[int | None, str]:
    """The exit code and the output of the command."""
    process = await start(harness, **variables)
    async with hang_limit():
        output, _ = await process.communicate()
    return process.returncode, output.decode()


def rotated(harness: Harness) -> dict[str, str]:
    """The settings with a new first key in both rings."""
    admin, worker = harness.settings.admin_keys, harness.settings.worker_keys
    assert worker is not None
    return {
        "STOREFLEET_ADMIN_KEYS": f"{generate_key('a2')},{admin.get_secret_value()}",
        "STOREFLEET_WORKER_KEYS": f"{generate_key('w2')},{worker.get_secret_value()}",
    }


async def key_ids(harness: Harness) -> dict[str, int]:
    """How many secrets each key has sealed."""
    rows = await harness.sql("SELECT split_part(sealed, '.', 1) AS key, count(*) FROM sealed_secrets GROUP BY 1")
    return {row["key"]: row["count"] for row in rows}


async def add_sealed_stores(harness: Harness) -> list[Any]:
    """DELETING stores that no worker of this test sees, each with one secret. Returns their ids, in order."""
    assert harness.settings.worker_keys is not None
    keys = Keyring.parse(harness.settings.worker_keys.get_secret_value())
    connection = await asyncpg.connect(harness.settings.database_url.get_secret_value())
    account = decode_id("Account", harness.account)
    assert account is not None
    stores = sorted([await new_store(connection, account) for _ in range(STORES)])
    for store in stores:
        sealed = keys.seal(store, "database-password", f"of {store}")
        await connection.execute("INSERT INTO sealed_secrets VALUES ($1, 'database-password', $2)", store, sealed)
    await connection.close()
    return stores


async def test_a_killed_command_continues(api: Harness) -> None:
    stores, variables = await add_sealed_stores(api), rotated(api)
    blocker = await asyncpg.connect(api.settings.database_url.get_secret_value())
    async with blocker.transaction():
        await blocker.execute("SELECT 1 FROM stores WHERE id = $1 FOR UPDATE", stores[-1])
        process = await start(api, **variables)

        async def is_in_the_middle() -> bool:
            return await key_ids(api) == {"w2": BATCH_SIZE, "w1": STORES - BATCH_SIZE}

        await wait_until(is_in_the_middle)
        process.kill()
        await process.wait()
    await blocker.close()

    assert await run(api, **variables) == (
        0,
        f"{STORES - BATCH_SIZE} secrets sealed again, {BATCH_SIZE} were already, 0 can't be opened\n",
    )
    assert await key_ids(api) == {"w2": STORES}
    keys = Keyring.parse(variables["STOREFLEET_WORKER_KEYS"].split(",")[0])
    for row in await api.sql("SELECT store_id, field, sealed FROM sealed_secrets"):
        assert keys.unseal(row["store_id"], row["field"], row["sealed"]) == f"of {row['store_id']}"


async def test_stores_work_without_the_old_keys(api: Harness) -> None:
    async with worker_lifespan(api.worker_settings, api.profile):
        store, _ = await create_ready_store(api)
        webhook = await mutate(api, "createWebhook", url="https://example.com/")
        variables = rotated(api)
        code, output = await run(api, **variables)  # beside the running worker
        assert code == 0, output
        await wait_until_idle(api)
    assert (await key_ids(api)).keys() == {"a2", "w2"}
    [row] = await api.sql("SELECT webhook_id, sealed FROM webhook_secrets")
    keys = Keyring.parse(variables["STOREFLEET_ADMIN_KEYS"].split(",")[0])
    assert open_secret(keys, row["webhook_id"], row["sealed"]) == webhook["secret"]
    first = {name.removeprefix("STOREFLEET_").lower(): value.split(",")[0] for name, value in variables.items()}
    settings = api.worker_settings.model_copy(update={name: SecretStr(value) for name, value in first.items()})
    async with worker_lifespan(settings, api.profile):
        await api.sql("UPDATE stores SET due_at = now(), applied_hash = NULL")
        await wait_until_idle(api)
        looked = await api.get_store(store["id"])
    assert (looked["status"], looked["health"]["state"]) == ("READY", "HEALTHY")


@pytest.mark.parametrize("sealed", ["k9.AAAA", "w1.AAAA", ""])
async def test_secrets_without_a_key_are_reported_and_kept(api: Harness, sealed: str) -> None:
    [store, *_] = await add_sealed_stores(api)
    await api.sql("UPDATE sealed_secrets SET sealed = $1 WHERE store_id = $2", sealed, store)
    webhook = (await mutate(api, "createWebhook", url="https://example.com/"))["webhook"]["id"]
    await api.sql("UPDATE webhook_secrets SET sealed = $1", sealed)
    code, output = await run(api, **rotated(api))
    assert f"{decode_id('Webhook', webhook)}: webhook-secret" in output
    assert (code, f"{store}: database-password" in output, "2 can't be opened" in output) == (1, True, True), output
    [row] = await api.sql("SELECT sealed FROM sealed_secrets WHERE store_id = $1", store)
    assert row["sealed"] == sealed


async def test_without_worker_keys_it_is_refused(api: Harness) -> None:
    environment = process_environment(api.settings)
    environment.pop("STOREFLEET_WORKER_KEYS")
    process = await start_storefleet("keys", "reseal", environment=environment, stderr=True)
    output, _ = await process.communicate()
    assert (process.returncode, b"STOREFLEET_WORKER_KEYS" in output) == (2, True)
