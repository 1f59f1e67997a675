"""The roles of API and workers: each may do what its process does, and nothing else. All flow tests run as them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from cli.doctor import Finding, run_checks
from cli.migrate import upgrade
from runtime.database import schema_problem, session_factory
from runtime.sealing import generate_key
from runtime.settings import ClusterProfile, Settings
from sandbox.postgres import Postgres
from stores.database_roles import RIGHTS, Rights, RoleProblem, RoleUrls, compare_rights
from tests.support.database_roles import role_urls
from tests.support.rows import connected, new_account

STATEMENTS = {
    "SELECT": "SELECT FROM {table}",
    "INSERT": "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE": "UPDATE {table} SET {column} = DEFAULT",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table} CASCADE",
    "TRIGGER": "CREATE TRIGGER mine BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION keep_audit()",
    "ownership, to disable a trigger": "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ownership, to add a column": "ALTER TABLE {table} ADD COLUMN mine text",
    "ownership, to drop it": "DROP TABLE {table} CASCADE",
}
"""By privilege: a statement that needs it alone."""
KEY = generate_key()
COLUMNS = """
SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum = 1
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""


@asynccontextmanager
async def undone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


async def is_refused(connection: asyncpg.Connection, statement: str) -> bool:
    """Whether the role may not. Other errors, such as of an empty row, come after this check."""
    async with undone(connection):
        try:
            await connection.execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            return True
        except asyncpg.PostgresError:
            return False
        return False


@pytest.mark.parametrize("component", Rights._fields)
async def test_each_role_is_refused_what_its_row_does_not_have(database_url: str, component: str) -> None:
    async with connected(getattr(role_urls(database_url), component)) as connection:
        tables = {row["relname"]: row["attname"] for row in await connection.fetch(COLUMNS)}
        assert tables.keys() == RIGHTS.keys(), "a new table needs its row in stores/database_roles.py"
        allowed = {
            (table, privilege)
            for table, column in tables.items()
            for privilege, statement in STATEMENTS.items()
            if not await is_refused(connection, statement.format(table=table, column=column))
        }
        rows = {(table, name) for table, of in RIGHTS.items() for name in getattr(of, component).split()}
        assert allowed == rows
        for statement in ("CREATE TABLE mine ()", "CREATE FUNCTION mine() RETURNS int RETURN 1", "CREATE ROLE mine"):
            assert await is_refused(connection, statement)


async def test_old_entries_of_the_audit_log_are_deleted_by_workers_only(database_url: str) -> None:
    roles = role_urls(database_url)
    async with connected(database_url) as owner, connected(roles.api) as api, connected(roles.worker) as worker:
        account = await new_account(owner)
        entry = "INSERT INTO audit (account_id, at, actor, action, subject, detail) VALUES ($1, $2, '', '', '', '{}')"
        for age in ("1 hour", "31 days"):
            at = await owner.fetchval(f"SELECT now() - interval '{age}'")
            await api.execute(entry, account, at)
        for statement in ("DELETE FROM audit", "UPDATE audit SET actor = 'nobody'", "TRUNCATE audit"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for table audit"):
                await api.execute(statement)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await worker.execute("DELETE FROM audit")
        await worker.execute("DELETE FROM audit WHERE at < now() - interval '30 days'")
        assert await api.fetchval("SELECT count(*) FROM audit") == 1


async def differences(url: str, component: str) -> tuple[list[str], list[str]]:
    async with session_factory(SecretStr(url), 1) as sessions, sessions() as session:
        return await compare_rights(session, component)


async def rights(owner: asyncpg.Connection) -> list[Any]:
    of_tables = "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    return [tuple(row) for row in await owner.fetch(of_tables)]


async def test_an_installation_with_one_role_gets_three_and_keeps_exactly_their_rights(
    postgres: Postgres, database_url: str, tmp_path: Path
) -> None:
    roles = role_urls(database_url)
    async with connected(database_url) as owner:
        before = await rights(owner)
        await owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM storefleet_api, storefleet_worker")
        await asyncio.to_thread(upgrade, database_url)
        missing, excess = await differences(roles.api, "api")
        assert (len(missing), excess) == (sum(len(row.api.split()) for row in RIGHTS.values()), [])
        async with session_factory(SecretStr(roles.worker), 1) as sessions, sessions() as session:
            assert "may not read the database" in (await schema_problem(session) or "")
        await owner.execute("GRANT ALL ON audit, users TO storefleet_api WITH GRANT OPTION")
        for _ in range(2):
            await asyncio.to_thread(upgrade, database_url, roles)
            assert [await differences(getattr(roles, name), name) for name in roles._fields] == [([], [])] * 2
        assert sorted(acl_words(await rights(owner))) == sorted(acl_words(before))
        await owner.execute("UPDATE alembic_version SET version_num = '9999'")
        await owner.execute("GRANT DELETE ON audit TO storefleet_api")
        await asyncio.to_thread(upgrade, database_url, roles)
        assert await differences(roles.api, "api") == ([], ["DELETE audit"]), "a newer release has decided that"


def acl_words(rows: list[Any]) -> list[str]:
    """The order of entries in a list of rights has no meaning."""
    return [f"{table} {word}" for table, acl in rows for word in sorted((acl or "").strip("{}").split(","))]


@pytest.fixture
async def elsewhere(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """As a provider gives it: a database that belongs to `fleet`, no superuser. The superuser's connection."""
    async with connected(postgres.url) as superuser:
        await superuser.execute("CREATE ROLE fleet LOGIN")
        await superuser.execute("CREATE DATABASE elsewhere OWNER fleet")
        yield superuser
        await superuser.execute("DROP DATABASE elsewhere WITH (FORCE)")
        for role in ("fleet", '"fleet api"', "fleet_worker"):
            await superuser.execute(f"DROP ROLE IF EXISTS {role}")


def with_password(url: str, password: str) -> str:
    return url.replace("@", f":{password}@")


async def test_missing_roles_are_created_where_the_owner_may_and_named_where_not(
    postgres: Postgres, elsewhere: asyncpg.Connection
) -> None:
    url = postgres.url_of("elsewhere", "fleet")
    roles = RoleUrls(
        with_password(postgres.url_of("elsewhere", "fleet%20api"), "s3cr%3At"),
        postgres.url_of("elsewhere", "fleet_worker"),
    )
    for wrong in (RoleUrls(url, roles.worker), RoleUrls(roles.worker, roles.worker), RoleUrls(roles.api, url)):
        with pytest.raises(RoleProblem, match="three different users"):
            await asyncio.to_thread(upgrade, url, wrong)
    with pytest.raises(RoleProblem, match='CREATE ROLE "fleet api" LOGIN PASSWORD'):
        await asyncio.to_thread(upgrade, url, roles)
    async with connected(postgres.url_of("elsewhere")) as connection:
        assert await connection.fetch("SELECT FROM pg_tables WHERE schemaname = 'public'") == [], "nothing is half done"
    await elsewhere.execute("ALTER ROLE fleet CREATEROLE")
    await asyncio.to_thread(upgrade, url, roles)
    assert [await differences(getattr(roles, name), name) for name in roles._fields] == [([], [])] * 2

    hba = postgres.folder / "pg_hba.conf"
    trusting = hba.read_text()
    try:
        hba.write_text(f'local all "fleet api" scram-sha-256\n{trusting}')
        await elsewhere.execute("SELECT pg_reload_conf()")
        async with connected(roles.api) as connection:
            assert await connection.fetchval("SELECT current_user") == "fleet api"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(roles.api.replace("s3cr%3At", "another"))
    finally:
        hba.write_text(trusting)
        await elsewhere.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize(
    ("user", "environment", "keys", "passed", "words"),
    [
        ("storefleet_worker", "production", True, True, "has exactly the rights of worker processes"),
        ("storefleet_api", "production", False, True, "has exactly the rights of api processes"),
        ("storefleet_api", "production", True, False, "lacks DELETE api_tokens"),
        ("storefleet", "production", True, False, "things that worker processes never do, such as CREATE public"),
        ("storefleet", "development", True, True, "development needs no roles"),
    ],
)
async def test_the_doctor_compares_the_role_of_its_process(
    postgres: Postgres, database_url: str, user: str, environment: Any, keys: bool, passed: bool, words: str
) -> None:
    name = database_url.partition("@/")[2].partition("?")[0]
    settings = Settings(
        environment=environment,
        database_url=SecretStr(postgres.url_of(name, user)),
        redis_url=SecretStr("redis://127.0.0.1:1"),
        admin_keys=SecretStr(KEY),
        worker_keys=SecretStr(KEY) if keys else None,
    )
    checks: list[Finding] = []
    async for finding in run_checks(settings, ClusterProfile()):
        checks.append(finding)
        if finding.subject == "database role":
            break
    assert (words in checks[-1].text, checks[-1].fix is None) == (True, passed), checks[-1]
