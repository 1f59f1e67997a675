"""Suspended accounts, and the stores that are suspended with them, are found by indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name in ("ix_accounts_suspended_at", "ix_stores_suspended_by_account"):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # an invalid one of a failed attempt
        op.create_index(
            "ix_accounts_suspended_at",
            "accounts",
            ["suspended_at"],
            postgresql_where=sa.text("suspended_at IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_stores_suspended_by_account",
            "stores",
            ["account_id"],
            postgresql_where=sa.text("suspended_by_account"),
            postgresql_concurrently=True,
        )
