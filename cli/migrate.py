"""Bringing the database's schema up to date. Expanding only: old and new processes go on meanwhile."""

import time
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import SQLAlchemyError

from cli import screen

ROOT = Path(__file__).resolve().parent.parent


def upgrade(url: str) -> None:
    """Raises what the database raises."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url
    command.upgrade(config, "head")


def migrate(url: str) -> int:
    """`storefleet migrate`."""
    began = time.perf_counter()
    try:
        upgrade(url)
    except (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        screen.failed(f"the database can't be migrated: {error}".splitlines()[0])
        return 1
    screen.done("The database's schema is up to date", time.perf_counter() - began)
    return 0
