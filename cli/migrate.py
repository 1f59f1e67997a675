"""`storefleet migrate`: upgrade the database schema. Migrations only expand, so old and new processes keep running."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config

from cli import output
from runtime.database import CONNECTION_ERRORS

RETRY_SECONDS = 1.0
ROOT = Path(__file__).resolve().parent.parent


def upgrade(url: str) -> None:
    """Upgrade the schema to the newest revision. A newer schema stays as it is. Raises CONNECTION_ERRORS."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url
    command.upgrade(config, "head")


def migrate(url: str, wait: float = 0) -> int:
    """`storefleet migrate`. `wait`: seconds in which it tries again while the database can't be reached.

    Returns the exit code.
    """
    started = time.perf_counter()
    while True:
        try:
            upgrade(url)
        except CONNECTION_ERRORS as error:
            if time.perf_counter() - started >= wait:
                output.error(f"the database can't be migrated: {error}".splitlines()[0])
                return 1
            time.sleep(RETRY_SECONDS)
        else:
            break
    output.success("The database's schema is up to date", time.perf_counter() - started)
    return 0
