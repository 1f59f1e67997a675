"""An index for the children of a token. It also validates the foreign key of 0008, without blocking writes."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE api_tokens VALIDATE CONSTRAINT fk_api_tokens_parent_id")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_api_tokens_parent_id")  # an invalid one of a failed attempt
        op.create_index("ix_api_tokens_parent_id", "api_tokens", ["parent_id"], postgresql_concurrently=True)
