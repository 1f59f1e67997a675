"""Addresses run out slowly: however many stores of one name there are, the next one gets its own."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio
from pydantic import SecretStr

from runtime.database import Sessions, connect
from stores.models import Store
from stores.names import slug_problem
from stores.slugs import SUGGESTIONS, free_slug, take_slug
from tests.flow.rows import connected, new_account, new_store


@pytest_asyncio.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database_url) as made:
        yield made


@pytest_asyncio.fixture
async def sessions(database_url: str) -> AsyncIterator[Sessions]:
    async with connect(SecretStr(database_url), 2) as made:
        yield made


async def test_more_stores_of_one_name_than_small_numbers(connection: asyncpg.Connection, sessions: Sessions) -> None:
    account = await new_account(connection)
    first = await new_store(connection, account, slug="fig-olive")
    taken = ["fig-olive", *(f"fig-olive-{number}" for number in SUGGESTIONS)]
    await connection.executemany(
        "INSERT INTO slugs (slug, account_id, store_id) VALUES ($1, $2, $3)", [(slug, account, first) for slug in taken]
    )
    for _ in range(3):
        store_id = await new_store(connection, account, slug="fig-olive")
        async with asyncio.timeout(5), sessions.begin() as session:
            store = await session.get_one(Store, store_id)
            await take_slug(session, store, None, None)
        assert store.slug.startswith("fig-olive-")
        assert store.slug not in taken
        assert slug_problem(store.slug) is None
        assert await connection.fetchval("SELECT store_id FROM slugs WHERE slug = $1", store.slug) == store_id
        taken.append(store.slug)


async def test_a_small_number_is_preferred(connection: asyncpg.Connection, sessions: Sessions) -> None:
    account = await new_account(connection)
    store = await new_store(connection, account, slug="fig-olive")
    async with sessions() as session:
        assert await free_slug(session, account, "fig-olive", None) == "fig-olive"
        await connection.execute("INSERT INTO slugs VALUES ('fig-olive', $1, $2)", account, store)
        assert await free_slug(session, account, "fig-olive", None) == "fig-olive-2"
        assert await free_slug(session, account, "admin", None) == "admin-2"


async def test_the_platforms_own_label_is_never_free(connection: asyncpg.Connection, sessions: Sessions) -> None:
    account = await new_account(connection)
    store = await new_store(connection, account, slug="fig")
    await connection.execute("INSERT INTO slugs VALUES ('fig', $1, $2)", account, store)
    async with sessions() as session:
        assert await free_slug(session, account, "fig", "fig-2") == "fig-3"
        assert await free_slug(session, account, "olive", "olive") == "olive-2"
