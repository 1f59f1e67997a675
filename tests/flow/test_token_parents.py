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
from workers.maintenance import delete_expired

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


async def test_revoking_a_token_revokes_its_descendants(api: Harness) -> None:
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


async def test_deleting_a_token_deletes_its_children(api: Harness) -> None:
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


ENDINGS = {
    "revoked": (
        "UPDATE api_tokens SET revoked_at = now() - $1::interval WHERE name = 'ended'",
        "UPDATE sessions SET revoked_at = now() - $1::interval WHERE user_agent = 'ended'",
    ),
    "expired": (
        "UPDATE api_tokens SET expires_at = now() - $1::interval WHERE name = 'ended'",
        "UPDATE sessions SET expires_at = now() - $1::interval WHERE user_agent = 'ended'",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_ended_credentials_are_deleted_after_their_retention(api: Harness, ending: str) -> None:
    await create(api, api.token, name="ended")
    user = {"email": "owner@example.com", "password": "correct horse battery"}
    headers = {"User-Agent": "ended"}
    async with api.http.post(f"{api.url}/auth/sign-in", json=user, headers=headers) as response:
        assert response.status == 200

    async def left(age: timedelta) -> list[int]:
        """The numbers of tokens and sessions after maintenance, when one of each ended so long ago."""
        for statement in ENDINGS[ending]:
            await api.sql(statement, age)
        async with session_factory(api.worker_settings.database_url, 2) as factory:
            await delete_expired(factory, api.worker_settings)
        [row] = await api.sql("SELECT (SELECT count(*) FROM api_tokens), (SELECT count(*) FROM sessions)")
        return list(row.values())

    assert tokens.RETENTION == sessions.RETENTION == timedelta(days=30)
    assert await left(timedelta(days=29)) == [2, 2]
    assert await left(timedelta(days=31)) == [1, 1]
