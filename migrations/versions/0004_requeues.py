"""Standard names for two counters of stores: `requeues` for `wake`, `observed_requeues` for `seen_wake`.

Old and new processes run side by side during an upgrade: a trigger copies what either of them writes to the other's
column. The next release drops the trigger, its function, `wake` and `seen_wake` (docs/UPGRADING.md).
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SAME_COUNTERS = (
    """
CREATE FUNCTION copy_requeues() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN  -- the columns that the statement leaves out have their defaults, the lowest values
        NEW.requeues := greatest(NEW.requeues, NEW.wake);
        NEW.observed_requeues := greatest(NEW.observed_requeues, NEW.seen_wake);
    ELSE
        IF NEW.requeues = OLD.requeues THEN
            NEW.requeues := NEW.wake;
        END IF;
        IF NEW.observed_requeues = OLD.observed_requeues THEN
            NEW.observed_requeues := NEW.seen_wake;
        END IF;
    END IF;
    NEW.wake := NEW.requeues;
    NEW.seen_wake := NEW.observed_requeues;
    RETURN NEW;
END $$
""",
    """
CREATE TRIGGER requeues_copied BEFORE INSERT OR UPDATE OF wake, seen_wake, requeues, observed_requeues ON stores
    FOR EACH ROW EXECUTE FUNCTION copy_requeues()
""",
)


def upgrade() -> None:
    op.add_column("stores", sa.Column("requeues", sa.BigInteger(), server_default="1", nullable=False))
    op.add_column("stores", sa.Column("observed_requeues", sa.BigInteger(), server_default="0", nullable=False))
    op.execute("UPDATE stores SET requeues = wake, observed_requeues = seen_wake")
    for statement in SAME_COUNTERS:
        op.execute(statement)
