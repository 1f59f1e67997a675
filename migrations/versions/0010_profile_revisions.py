"""An order of what workers render, so that workers with different settings don't change a store in turns."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "profile_revisions",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("cluster", name=op.f("pk_profile_revisions")),
    )
    op.add_column("stores", sa.Column("profile_revision", sa.BigInteger(), server_default="0", nullable=False))
