"""`storefleet migrate`: upgrade the database schema. Migrations only expand, so old and new processes keep running."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config

from cli import output
from runtime.database import CONNECTION_ERRORS

ROOT = Path(__file__).resolve().parent.parent


def upgrade(url: str) -> None:
    """Upgrade the schema to the newest revision. Raises CONNECTION_ERRORS."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url
    command.upgrade(config, "head")


def migrate(url: str) -> int:
    """`storefleet migrate`. Returns the exit code."""
    started = time.perf_counter()
    try:
        upgrade(url)
    except CONNECTION_ERRORS as error:
        output.error(f"the database can't be migrated: {error}".splitlines()[0])
        return 1
    output.success("The database's schema is up to date", time.perf_counter() - started)
    return 0
