"""`storefleet migrate`: upgrade the database schema. Migrations only expand, so old and new processes keep running."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config

from cli import output
from runtime.database import CONNECTION_ERRORS
from runtime.settings import Settings
from stores.database_roles import RoleProblem, RoleUrls

RETRY_SECONDS = 1.0
ROOT = Path(__file__).resolve().parent.parent


def upgrade(url: str, roles: RoleUrls | None = None) -> None:
    """Upgrade the schema to the newest revision, and give the roles their rights. A newer schema stays as it is.

    Raises CONNECTION_ERRORS, RoleProblem.
    """
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url
    config.attributes["roles"] = roles
    command.upgrade(config, "head")


def migrate(settings: Settings, wait: float = 0) -> int:
    """`storefleet migrate`. `wait`: seconds in which it tries again while the database can't be reached.

    Returns the exit code.
    """
    started = time.perf_counter()
    url, roles = settings.direct_database_url.get_secret_value(), role_urls(settings)
    while True:
        try:
            upgrade(url, roles)
        except RoleProblem as problem:
            output.error(f"the database's roles: {problem}")
            return 1
        except CONNECTION_ERRORS as error:
            if time.perf_counter() - started >= wait:
                output.error(f"the database can't be migrated: {error}".splitlines()[0])
                return 1
            time.sleep(RETRY_SECONDS)
        else:
            break
    output.success("The database's schema is up to date", time.perf_counter() - started)
    if roles is None:
        output.echo("API and workers have no roles of their own: they may do everything. See docs/SETUP.md.", "yellow")
    return 0


def role_urls(settings: Settings) -> RoleUrls | None:
    """None: API and workers use the role of the migrations."""
    if settings.api_database_url is None or settings.worker_database_url is None:
        return None
    return RoleUrls(settings.api_database_url.get_secret_value(), settings.worker_database_url.get_secret_value())
