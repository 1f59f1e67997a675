"""The roles of PostgreSQL: the API and the workers have one each, and that of the migrations owns the tables.

`storefleet migrate` gives these rights in the transaction that upgrades the schema, and takes all others away.
A right of a row lock (FOR UPDATE, FOR SHARE) is UPDATE; foreign keys need none, because their checks run as the owner.
"""

import base64
import hashlib
import hmac
import secrets
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

from runtime.database_url import credentials

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
SCRAM_ITERATIONS = 4096
"""PostgreSQL's default."""


class Rights(NamedTuple):
    """Privileges on one table, separated by spaces."""

    api: str
    worker: str


class RoleUrls(NamedTuple):
    """URLs of the database with the users of the API and of the workers."""

    api: str
    worker: str


RIGHTS = {
    "account_streams": Rights("SELECT INSERT UPDATE", "SELECT INSERT UPDATE"),
    "accounts": Rights("SELECT INSERT UPDATE", "SELECT INSERT UPDATE"),
    "alembic_version": Rights("SELECT", "SELECT"),
    "api_tokens": Rights("SELECT INSERT UPDATE", "SELECT DELETE"),
    "audit": Rights("SELECT INSERT", "SELECT INSERT DELETE"),
    "cluster_capacity": Rights("SELECT", "SELECT INSERT UPDATE"),
    "events": Rights("SELECT INSERT", "SELECT INSERT DELETE"),
    "identities": Rights("SELECT INSERT DELETE", ""),
    "idempotency_keys": Rights("SELECT INSERT UPDATE", "SELECT DELETE"),
    "invitations": Rights("SELECT INSERT UPDATE", "SELECT DELETE"),
    "memberships": Rights("SELECT INSERT UPDATE DELETE", "SELECT INSERT"),
    "observer_leases": Rights("", "SELECT INSERT UPDATE DELETE"),
    "profile_revisions": Rights("", "SELECT INSERT UPDATE"),
    "sealed_secrets": Rights("SELECT", "SELECT INSERT UPDATE DELETE"),
    "sessions": Rights("SELECT INSERT UPDATE", "SELECT DELETE"),
    "sign_in_links": Rights("SELECT INSERT UPDATE DELETE", "SELECT DELETE"),
    "sign_in_throttle": Rights("SELECT INSERT UPDATE", "SELECT DELETE"),
    "slugs": Rights("SELECT INSERT UPDATE", "SELECT INSERT UPDATE"),
    "steps": Rights("SELECT INSERT UPDATE", "SELECT INSERT UPDATE"),
    "stores": Rights("SELECT INSERT UPDATE", "SELECT INSERT UPDATE"),
    "users": Rights("SELECT INSERT UPDATE", "SELECT"),
    "webhook_deliveries": Rights("SELECT", "SELECT INSERT DELETE"),
    "webhook_secrets": Rights("SELECT INSERT UPDATE DELETE", "SELECT UPDATE DELETE"),
    "webhooks": Rights("SELECT INSERT UPDATE DELETE", "SELECT UPDATE"),
}
"""By table. `storefleet adopt` is why workers may insert accounts, memberships, slugs and stores, and lock accounts."""


class RoleProblem(Exception):
    """The roles can't get their rights; the message says what to do."""


def create_roles(connection: Connection, urls: RoleUrls) -> None:
    """Create the users of these URLs that are missing. In the caller's transaction. Raises RoleProblem."""
    roles = [credentials(url) for url in urls]
    owner = connection.scalar(text("SELECT current_user"))
    if len({owner, *(name for name, _ in roles)}) != 3:
        raise RoleProblem("the URLs of migrations, API and workers must have three different users")
    for name, password in roles:
        if not connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :name"), {"name": name}):
            _create_role(connection, _quoted(connection, name), password)


def grant_rights(connection: Connection, urls: RoleUrls) -> None:
    """Give the users of these URLs their rights, and take away all others. In the caller's transaction."""
    for component, url in zip(RoleUrls._fields, urls, strict=True):
        role = _quoted(connection, credentials(url)[0])
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {role}")
        connection.exec_driver_sql(f"REVOKE ALL ON {', '.join(f'public.{table}' for table in RIGHTS)} FROM {role}")
        for table, rights in RIGHTS.items():
            if granted := getattr(rights, component):
                connection.exec_driver_sql(f"GRANT {', '.join(granted.split())} ON public.{table} TO {role}")


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _create_role(connection: Connection, role: str, password: str | None) -> None:
    """`role`: quoted. Who created a role also changes its password: the URL's is for a missing role only."""
    may_create = "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
    if not connection.scalar(text(may_create)):
        raise RoleProblem(f"there is no role {role}, and this one can't create it: CREATE ROLE {role} LOGIN PASSWORD …")
    verifier = f" PASSWORD '{scram_verifier(password)}'" if password else ""
    connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN{verifier}")


def scram_verifier(password: str) -> str:
    """What PostgreSQL stores of a password, so that its log never has the password. ASCII passwords only."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    parts = (base64.b64encode(part).decode() for part in (salt, stored, hmac.digest(salted, b"Server Key", "sha256")))
    return "SCRAM-SHA-256${}:{}${}:{}".format(SCRAM_ITERATIONS, *parts)


async def compare_rights(session: AsyncSession, component: str) -> tuple[list[str], list[str]]:
    """What the session's own role lacks of the component's rights, and what it has beyond them: `UPDATE audit`."""
    query = text(
        "SELECT name, privilege "
        "FROM unnest(CAST(:names AS text[])) name, unnest(CAST(:privileges AS text[])) privilege "
        "WHERE has_table_privilege('public.' || name, privilege)"
    )
    rows = await session.execute(query, {"names": list(RIGHTS), "privileges": list(PRIVILEGES)})
    had = {f"{privilege} {table}" for table, privilege in rows}
    if await session.scalar(text("SELECT has_schema_privilege('public', 'CREATE')")):
        had.add("CREATE public")
    wanted = {f"{privilege} {table}" for table, of in RIGHTS.items() for privilege in getattr(of, component).split()}
    return sorted(wanted - had), sorted(had - wanted)
