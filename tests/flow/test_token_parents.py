"""A token that a token created has at most its rights, and ends with it. What has ended is deleted in time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from accounts import sessions, tokens
from runtime.database import session_factory
from tests.support.harness import Harness
from tests.support.sockets import closed, open_socket
from tests.support.waiting import wait_until

CREATE = """
mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) {
  token { id expiresAt revokedAt } secret userErrors { code field message } } }
"""
REVOKE = "mutation ($id: ID!) { revokeApiToken(input: {id: $id}) { token { revokedAt } userErrors { code } } }"
VIEWER = "{ viewer { user { email } } }"
SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat()
LATER = (datetime.now(UTC) + timedelta(days=2)).isoformat()


async def create(api: Harness, creator: str, **given: Any) -> Any:
    """The payload of createApiToken, called with the token `creator`."""
    return (
        await api.client(creator).execute(CREATE, {"input": {"name": "child", "scopes": ["READ", "WRITE"], **given}})
    )["createApiToken"]


async def ended(api: Harness, secret: str) -> bool:
    headers = {"Authorization": f"Bearer {secret}"}
    async with api.http.post(f"{api.url}/graphql", json={"query": VIEWER}, headers=headers) as response:
        return response.status == 401


async def test_a_child_expires_no_later_than_its_parent(api: Harness) -> None:
    parent = await create(api, api.token, expiresAt=SOON)
    expiry = parent["token"]["expiresAt"]
    assert (await create(api, parent["secret"]))["token"]["expiresAt"] == expiry
    assert (await create(api, parent["secret"], expiresAt=SOON))["token"]["expiresAt"] == expiry
    refused = await create(api, parent["secret"], expiresAt=LATER)
    assert (refused["userErrors"][0]["code"], refused["userErrors"][0]["field"]) == ("INVALID_EXPIRY", "expiresAt")
    assert refused["token"] is None


async def test_a_revoked_token_takes_all_its_descendants_along(api: Harness) -> None:
    parent = await create(api, api.token)
    child = await create(api, parent["secret"])
    grandchild, sibling = await create(api, child["secret"]), await create(api, api.token)
    socket = await open_socket(api, grandchild["secret"])
    answer = await api.client().execute(REVOKE, {"id": parent["token"]["id"]})
    assert answer["revokeApiToken"]["token"]["revokedAt"]
    assert (await closed(socket))[0] == 4401
    assert [await ended(api, each["secret"]) for each in (parent, child, grandchild, sibling)] == [True] * 3 + [False]
    rows = await api.sql("SELECT count(*) FROM audit WHERE action = 'token.revoked'")
    assert rows[0]["count"] == 3
    assert not await ended(api, api.token)  # the parent of all


async def test_a_deleted_token_takes_its_children_along(api: Harness) -> None:
    """However it is deleted: the database sees to it."""
    parent = await create(api, api.token, name="parent")
    child = await create(api, parent["secret"])
    await api.sql("DELETE FROM api_tokens WHERE name = 'parent'")
    assert await ended(api, child["secret"])


async def test_a_token_that_is_being_revoked_creates_no_child(api: Harness) -> None:
    """The creation waits for the revocation, and doesn't overlook it."""
    parent = await create(api, api.token, name="parent")
    connection = await asyncpg.connect(api.settings.database_url.get_secret_value())
    try:
        async with connection.transaction():
            await connection.execute("UPDATE api_tokens SET revoked_at = now() WHERE name = 'parent'")
            creating = asyncio.create_task(create(api, parent["secret"]))
            await wait_until(lambda: api.sql("SELECT 1 FROM pg_locks WHERE NOT granted"))
    finally:
        await connection.close()
    payload = await creating
    assert (payload["userErrors"][0]["code"], payload["secret"]) == ("FORBIDDEN", None)
    assert await api.sql("SELECT 1 FROM api_tokens WHERE name = 'child'") == []


async def test_a_child_has_no_scope_that_its_parent_lacks(api: Harness) -> None:
    writer = await create(api, api.token, scopes=["WRITE"])
    assert (await create(api, writer["secret"]))["userErrors"][0]["code"] == "INVALID_SCOPES"
    reader = await create(api, api.token, scopes=["READ"])
    assert (await create(api, reader["secret"], scopes=["READ"]))["userErrors"][0]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
async def test_what_ended_is_kept_for_a_time_and_then_deleted(api: Harness, column: str) -> None:
    await create(api, api.token, name="ended")
    user = {"email": "owner@example.com", "password": "correct horse battery"}
    headers = {"User-Agent": "ended"}
    async with api.http.post(f"{api.url}/auth/sign-in", json=user, headers=headers) as response:
        assert response.status == 200

    async def left(age: timedelta) -> list[int]:
        """The numbers of tokens and sessions after maintenance, when one of each ended so long ago."""
        await api.sql(f"UPDATE api_tokens SET {column} = now() - $1::interval WHERE name = 'ended'", age)
        await api.sql(f"UPDATE sessions SET {column} = now() - $1::interval WHERE user_agent = 'ended'", age)
        async with session_factory(api.settings.database_url, 2) as factory, factory.begin() as session:
            await tokens.delete_expired(session)
            await sessions.delete_expired(session)
        [row] = await api.sql("SELECT (SELECT count(*) FROM api_tokens), (SELECT count(*) FROM sessions)")
        return list(row.values())

    assert tokens.RETENTION == sessions.RETENTION == timedelta(days=30)
    assert await left(timedelta(days=29)) == [2, 2]
    assert await left(timedelta(days=31)) == [1, 1]
