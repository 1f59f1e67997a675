"""The setup of a store, and the rotation of its admin password."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("stores", sa.Column("setup", sa.Text(), server_default="ready", nullable=False))
    op.add_column("stores", sa.Column("rotating", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_stores_rotating"), "stores", "rotating <= generation", postgresql_not_valid=True
    )
    op.execute("ALTER TABLE stores VALIDATE CONSTRAINT ck_stores_rotating")
