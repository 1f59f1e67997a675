"""`storefleet smoke-test`: create a store through the API, wait until its proof has bought something, and delete it."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.actors import Actor
from accounts.models import ApiToken, Membership, User
from accounts.passwords import hash_password
from accounts.tokens import create_token, revoke
from accounts.users import add_account, add_user
from cli import output
from cli.client import Access, Client, ClientError, connected
from cli.users import set_limits
from cli.watch import STORE, follow, show_receipt
from runtime.database import session_factory
from runtime.settings import Settings
from stores.engines import load_engines

EMAIL = "smoke-test@example.com"
LIFETIME = timedelta(hours=2)
"""Of the token: it expires if the test is killed before it revokes it."""
QUOTA = 1000
"""Stores of the user's account, and creations in an hour: deleted stores are counted in the hour."""
_PAYLOAD = "store { id slug name steps { name } eventCursor } userErrors { message }"
CREATE = f"""
mutation ($engine: Engine!) {{ createStore(input: {{name: "Smoke test", engine: $engine}}) {{ {_PAYLOAD} }} }}
"""
DELETE = f"mutation ($id: ID!) {{ deleteStore(input: {{id: $id}}) {{ {_PAYLOAD} }} }}"
STORES = "{ stores(first: 100) { nodes { id } } }"


async def smoke_test(settings: Settings, url: str, engine: str | None) -> int:
    """Run the test as a user of its own. Returns the exit code: 0 when the store became READY and was deleted.

    `engine`: a member of the GraphQL enum Engine. None: the first engine of the settings.
    """
    name = engine or next(iter(load_engines(settings.engines))).upper()
    async with session_factory(settings.direct_database_url, 2) as sessions:
        async with sessions.begin() as session:
            token, secret = await _create_access(session)
        try:
            async with connected(Access(url, secret or "")) as client:
                for store in (await client.execute(STORES))["stores"]["nodes"]:  # of a test that was killed
                    await _delete(client, store["id"])
                return 0 if await _try_store(client, name) else 1
        except ClientError as error:
            output.error(str(error))
            return 1
        finally:
            async with sessions.begin() as session:
                await revoke(session, await session.merge(token), "cli")


async def _create_access(session: AsyncSession) -> tuple[ApiToken, str | None]:
    """A token of the test's user, who is created the first time, and its secret."""
    membership = select(User.id, Membership.account_id).join(Membership, Membership.user_id == User.id)
    row = (await session.execute(membership.where(User.email == EMAIL))).first()
    if row is None:
        user_id = await add_user(session, EMAIL, await hash_password(secrets.token_urlsafe(32)))
        account_id = await add_account(session, "Smoke tests", user_id)
        await set_limits(session, EMAIL, QUOTA, QUOTA)
    else:
        user_id, account_id = row
    actor = Actor("user", user_id, {account_id: "owner"}, frozenset({"read", "write"}), b"")
    return await create_token(
        session,
        actor,
        account_id,
        name="smoke-test",
        scopes=["read", "write"],
        expires_at=datetime.now(UTC) + LIFETIME,
        idempotency_key=None,
    )


async def _try_store(client: Client, engine: str) -> bool:
    """Create a store, follow it, show its receipt, and delete it in any case. Returns whether all that worked."""
    store = _store(await client.execute(CREATE, {"engine": engine}))
    output.echo(f"createStore → {store['name']} ({store['slug']})", "bold")
    try:
        status = await follow(client, store)
        receipt = (await client.execute(STORE, {"slug": store["slug"]}))["store"]["receipt"]
        if receipt is not None:
            show_receipt(receipt)
    finally:
        deleted = await _delete(client, store["id"])
    return status == "READY" and receipt is not None and deleted == "DELETED"


async def _delete(client: Client, store_id: str) -> str:
    """Delete the store, and wait for the end. Returns its status. Raises ClientError."""
    store = _store(await client.execute(DELETE, {"id": store_id}))
    return await follow(client, store, store["eventCursor"])


def _store(data: dict[str, Any]) -> dict[str, Any]:
    """The store in the payload of the only mutation. Raises ClientError for userErrors."""
    [payload] = data.values()
    if payload["userErrors"]:
        raise ClientError(payload["userErrors"][0]["message"])
    store: dict[str, Any] = payload["store"]
    return store
