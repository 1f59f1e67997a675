"""Idempotency keys: the account's, in the input or in the header, and safe when the API dies before it answers."""

import asyncio
import signal
import sys
from typing import Any

import aiohttp
import pytest

from sandbox.ports import free_port
from schema.ids import decode_id
from tests.support.harness import CREATE, ROOT, Harness, process_environment
from tests.support.waiting import hang_limit

TOKEN = """
mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token { id } secret userErrors { code } } }
"""
NEW = {"name": "Fig & Olive", "engine": "WOOCOMMERCE"}
KILLED = """
import os, signal, sys
from contextlib import asynccontextmanager
from cli.commands import main
from schema.context import Context
transaction = Context.mutation_transaction

@asynccontextmanager
async def dies_after_the_commit(context, *arguments):
    async with transaction(context, *arguments) as session:
        yield session
    os.kill(os.getpid(), signal.SIGKILL)

Context.mutation_transaction = dies_after_the_commit
sys.argv = ["storefleet", "api"]
main()
"""
"""An API process that is killed between a mutation's commit and its answer."""


async def create(
    api: Harness, token: str, header: str | None = None, url: str | None = None, **given: Any
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} | ({} if header is None else {"Idempotency-Key": header})
    body = {"query": CREATE, "variables": {"input": NEW | given}}
    async with api.http.post(f"{url or api.url}/graphql", json=body, headers=headers) as response:
        payload: dict[str, Any] = (await response.json())["data"]["createStore"]
        return payload


async def second_token(api: Harness) -> str:
    data = await api.client().execute(TOKEN, {"input": {"name": "second", "scopes": ["READ", "WRITE"]}})
    secret: str = data["createApiToken"]["secret"]
    return secret


async def test_the_header_and_the_argument_are_the_same_key_of_the_account(api: Harness) -> None:
    first = await create(api, api.token, "key-1")
    assert first["userErrors"] == []
    other = await second_token(api)
    again = [
        await create(api, api.token, "key-1"),
        await create(api, api.token, '"key-1"'),  # as the IETF draft writes it
        await create(api, api.token, idempotencyKey="key-1"),
        await create(api, other, "key-1", idempotencyKey="key-1"),
        await create(api, other, "key-1", accountId=api.account),
    ]
    assert {payload["store"]["id"] for payload in again} == {first["store"]["id"]}
    assert (await create(api, other, "key-1", name="Other"))["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"
    for header, argument in (("key-1", "key-2"), ("", None), ("k" * 256, None)):
        given = {} if argument is None else {"idempotencyKey": argument}
        [error] = (await create(api, other, header, **given))["userErrors"]
        assert (error["code"], error["field"]) == ("INVALID_IDEMPOTENCY_KEY", "idempotencyKey")
    stranger, _ = await api.sign_up("stranger@example.com")
    assert (await create(api, stranger, "key-1"))["store"]["id"] != first["store"]["id"]
    [row] = await api.sql("SELECT count(*) FROM stores")
    assert row["count"] == 2


async def test_parallel_calls_of_two_tokens_make_one_store(api: Harness) -> None:
    other = await second_token(api)
    payloads = await asyncio.gather(*(create(api, token, "key-1") for token in (api.token, other) * 4))
    assert len({payload["store"]["id"] for payload in payloads}) == 1


async def test_a_key_that_0_1_0_wrote_is_known(api: Harness) -> None:
    first = await create(api, api.token, "key-1")
    await api.sql("UPDATE idempotency_keys SET actor = 'token:' || gen_random_uuid()")
    assert (await create(api, api.token, "key-1"))["store"]["id"] == first["store"]["id"]
    await api.sql("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
    assert (await create(api, api.token, "key-1"))["store"]["id"] != first["store"]["id"]


async def test_a_user_s_password_is_changed_by_the_user_s_own_keys(api: Harness) -> None:
    """A member's key must not make another member's change a repetition."""
    await api.sql(
        "INSERT INTO idempotency_keys (account_id, actor, mutation, key, input_hash, result_id)"
        " SELECT id, 'user:' || gen_random_uuid(), 'changePassword', 'key-1', '', gen_random_uuid() FROM accounts"
    )
    user = {"email": "owner@example.com", "password": "correct horse battery"}
    async with api.http.post(f"{api.url}/auth/sign-in", json=user) as response:
        [(name, cookie)] = response.cookies.items()
    query = """mutation { changePassword(input: {currentPassword: "wrong wrong", newPassword: "another long one"})
      { userErrors { code } } }"""
    headers = {"Cookie": f"{name}={cookie.value}", "Idempotency-Key": "key-1"}
    async with api.http.post(f"{api.url}/graphql", json={"query": query}, headers=headers) as response:
        [error] = (await response.json())["data"]["changePassword"]["userErrors"]
    assert error["code"] == "INVALID_PASSWORD"


async def test_an_api_killed_between_commit_and_answer_makes_no_second_store(api: Harness) -> None:
    port = free_port()
    environment = process_environment(api.api_settings, STOREFLEET_PORT=str(port))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    api.processes.append(process)
    assert process.stdout is not None
    async with hang_limit():
        while b"api.started" not in (line := await process.stdout.readline()):
            assert line, "the API didn't start"
    with pytest.raises(aiohttp.ClientError):
        await create(api, api.token, "key-1", f"http://127.0.0.1:{port}")
    assert await process.wait() == -signal.SIGKILL
    [row] = await api.sql("SELECT id FROM stores")
    store = (await create(api, await second_token(api), "key-1"))["store"]
    assert (decode_id("Store", store["id"]), store["status"]) == (row["id"], "REQUESTED")
    assert [row] == await api.sql("SELECT id FROM stores")
