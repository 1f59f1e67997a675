"""The audit log says where an action came from and how it ended, and can't be changed: only old entries are deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

FUNCTION = """
CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < now() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():  # first: what was done before it would be done again after a failure
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_audit_at")  # an invalid one of a failed attempt
        op.create_index("ix_audit_at", "audit", ["at"], postgresql_concurrently=True)
    op.add_column("audit", sa.Column("result", sa.Text(), server_default="succeeded", nullable=False))
    op.add_column("audit", sa.Column("user_id", sa.Uuid(), nullable=True))
    op.add_column("audit", sa.Column("credential", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("address", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("user_agent", sa.Text(), nullable=True))
    op.execute(FUNCTION)
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keep_audit()"
    )
    op.execute(
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION keep_audit()"
    )
