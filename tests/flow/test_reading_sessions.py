"""A session for reading has no transaction: the tests refuse what it would write or lock (conftest.py)."""

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from runtime.database import session_factory


@pytest.mark.parametrize("statement", ["DELETE FROM stores", "SELECT id FROM stores FOR UPDATE"])
async def test_a_reading_session_neither_writes_nor_locks(database_url: str, statement: str) -> None:
    async with session_factory(SecretStr(database_url), 1) as sessions:
        async with sessions.begin() as session:
            await session.execute(text(statement))
        async with sessions() as session:
            with pytest.raises(AssertionError, match="is for reading"):
                await session.execute(text(statement))
