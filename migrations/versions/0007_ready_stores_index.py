"""An index for the latest stores of an engine that became READY (stores/step_durations.py)."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_stores_engine_ready_at")  # an invalid one of a failed attempt
        op.create_index("ix_stores_engine_ready_at", "stores", ["engine", "ready_at"], postgresql_concurrently=True)
