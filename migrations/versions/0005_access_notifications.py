"""Each change that ends or changes access notifies the account: open WebSockets then check their access again.

A trigger, so that a change by any process, any command, or by hand in SQL reaches the WebSockets of all API processes.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

FUNCTION = """
CREATE FUNCTION notify_access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'sessions' THEN
        PERFORM pg_notify('account_changed', account_id || ' access') FROM memberships WHERE user_id = OLD.user_id;
    ELSE
        PERFORM pg_notify('account_changed', OLD.account_id || ' access');
    END IF;
    RETURN NULL;
END $$
"""
CHANGES = {
    "sessions": "revoked_at, expires_at",
    "api_tokens": "revoked_at, expires_at, scopes",
    "memberships": "role",
}
"""Columns by table."""


def upgrade() -> None:
    op.execute(FUNCTION)
    for table, columns in CHANGES.items():
        op.execute(
            f"CREATE TRIGGER {table}_access_changed AFTER UPDATE OF {columns} OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION notify_access_changed()"
        )
