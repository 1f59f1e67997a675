"""The language of a store."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("stores", sa.Column("language", sa.Text(), server_default="en-US", nullable=False))
