"""The tables of accounts, stores and events, and the triggers that refuse status transitions and number events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


STATUS_MOVES = (
    """
CREATE FUNCTION refuse_status_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.status, NEW.status) NOT IN (
        ('REQUESTED', 'PROVISIONING'),
        ('PROVISIONING', 'READY'), ('PROVISIONING', 'FAILED'),
        ('READY', 'UPDATING'), ('READY', 'SUSPENDING'),
        ('UPDATING', 'READY'), ('UPDATING', 'FAILED'),
        ('SUSPENDING', 'SUSPENDED'), ('SUSPENDING', 'FAILED'),
        ('SUSPENDED', 'RESUMING'),
        ('RESUMING', 'READY'), ('RESUMING', 'FAILED'),
        ('FAILED', OLD.failed_in),
        ('DELETING', 'DELETED'),
        (OLD.status, CASE WHEN OLD.status <> 'DELETED' THEN 'DELETING' END)
    ) IS NOT FALSE THEN
        RAISE EXCEPTION 'a store cannot go from % to %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = 'FAILED' AND NEW.failed_in IS DISTINCT FROM OLD.status THEN
        RAISE EXCEPTION 'a store that fails in % must say so', OLD.status USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$
""",
    """
CREATE TRIGGER status_moves BEFORE UPDATE OF status ON stores
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION refuse_status_move()
""",
)

# Numbered under the row lock of the account's stream. With a sequence a reader could skip an uncommitted event.
EVENT_NUMBERS = (
    """
CREATE FUNCTION number_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account_streams SET seq = seq + 1 WHERE account_id = NEW.account_id RETURNING seq INTO STRICT NEW.seq;
    NEW.at := clock_timestamp();  -- under the lock, so that times and numbers have the same order
    RETURN NEW;
END $$
""",
    """
CREATE TRIGGER event_numbers BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION number_event()
""",
)


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("store_quota", sa.Integer(), nullable=True),
        sa.Column("creations_per_hour", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("creations_per_hour >= 0", name=op.f("ck_accounts_creations_per_hour")),
        sa.CheckConstraint("store_quota >= 0", name=op.f("ck_accounts_store_quota")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "observer_leases",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("cluster", name=op.f("pk_observer_leases")),
    )
    op.create_table(
        "sign_in_throttle",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("window_ends", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_throttle")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_users_email_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "account_streams",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_account_streams_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_streams")),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "scopes <@ ARRAY['read', 'write'] AND cardinality(scopes) > 0", name=op.f("ck_api_tokens_scopes")
        ),
        sa.CheckConstraint("length(token_hash) = 32", name=op.f("ck_api_tokens_token_hash")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_api_tokens_account_id")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_api_tokens_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_account_id"), "api_tokens", ["account_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_audit_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_account_id_at", "audit", ["account_id", "at"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("mutation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("input_hash", sa.LargeBinary(), nullable=False),
        sa.Column("result_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 255", name=op.f("ck_idempotency_keys_key")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_idempotency_keys_account_id")),
        sa.PrimaryKeyConstraint("account_id", "actor", "mutation", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'admin', 'viewer')", name=op.f("ck_memberships_role")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_memberships_account_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("account_id", "user_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "stores",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("admin_email", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text(), server_default="main", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("desired", sa.Text(), server_default="RUNNING", nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("observed_generation", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("status", sa.Text(), server_default="REQUESTED", nullable=False),
        sa.Column("failed_in", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("health", sa.Text(), nullable=True),
        sa.Column("health_cause", sa.Text(), nullable=True),
        sa.Column("health_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.Column("wake", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("seen_wake", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("trouble_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_holder", sa.Text(), nullable=True),
        sa.Column("lease_epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("namespace_uid", sa.Text(), nullable=True),
        sa.Column("spec_hash", sa.Text(), nullable=True),
        sa.Column("applied_hash", sa.Text(), nullable=True),
        sa.Column("proof_hash", sa.Text(), nullable=True),
        sa.Column("receipt", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("deletion", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("(status = 'DELETED') = (deleted_at IS NOT NULL)", name=op.f("ck_stores_deleted_at")),
        sa.CheckConstraint("(status = 'FAILED') = (failed_in IS NOT NULL)", name=op.f("ck_stores_failed_in")),
        sa.CheckConstraint(
            "(status IN ('DELETING', 'DELETED')) = (desired = 'DELETED')", name=op.f("ck_stores_delete_wins")
        ),
        sa.CheckConstraint("desired IN ('RUNNING', 'SUSPENDED', 'DELETED')", name=op.f("ck_stores_desired")),
        sa.CheckConstraint("due_at IS NOT NULL OR status = 'DELETED'", name=op.f("ck_stores_never_forgotten")),
        sa.CheckConstraint("health IN ('HEALTHY', 'DEGRADED', 'DOWN')", name=op.f("ck_stores_health")),
        sa.CheckConstraint("slug ~ '^[a-z0-9]([a-z0-9-]{1,38})[a-z0-9]$'", name=op.f("ck_stores_slug")),
        sa.CheckConstraint("status <> 'FAILED' OR cause IS NOT NULL", name=op.f("ck_stores_failed_has_cause")),
        sa.CheckConstraint(
            "status <> 'READY' OR (proof_hash IS NOT NULL AND spec_hash IS NOT NULL AND proof_hash = spec_hash AND receipt IS NOT NULL AND ready_at IS NOT NULL AND health IS NOT NULL)",
            name=op.f("ck_stores_ready_is_proven"),
        ),
        sa.CheckConstraint(
            "status IN ('REQUESTED', 'PROVISIONING', 'READY', 'UPDATING', 'SUSPENDING', 'SUSPENDED', 'RESUMING', 'FAILED', 'DELETING', 'DELETED')",
            name=op.f("ck_stores_status"),
        ),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 80", name=op.f("ck_stores_name")),
        sa.CheckConstraint("observed_generation <= generation", name=op.f("ck_stores_generation")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_stores_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stores")),
    )
    op.create_index("ix_stores_account_id_created_at", "stores", ["account_id", "created_at", "id"], unique=False)
    op.create_index("ix_stores_due_at", "stores", ["due_at"], unique=False)
    op.create_table(
        "events",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("step", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("(type = 'STEP') = (step IS NOT NULL)", name=op.f("ck_events_step")),
        sa.CheckConstraint("type IN ('STATUS', 'STEP', 'HEALTH', 'NOTICE')", name=op.f("ck_events_type")),
        sa.CheckConstraint("seq > 0", name=op.f("ck_events_seq")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_events_account_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_events_store_id")),
        sa.PrimaryKeyConstraint("account_id", "seq", name=op.f("pk_events")),
    )
    op.create_index("ix_events_at", "events", ["at"], unique=False)
    op.create_index("ix_events_store_id_seq", "events", ["store_id", "seq"], unique=False)
    op.create_table(
        "sealed_secrets",
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_sealed_secrets_store_id")),
        sa.PrimaryKeyConstraint("store_id", "field", name=op.f("pk_sealed_secrets")),
    )
    op.create_table(
        "slugs",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_slugs_account_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_slugs_store_id")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_slugs")),
    )
    op.create_table(
        "steps",
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="PENDING", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.CheckConstraint("(status = 'PENDING') = (started_at IS NULL)", name=op.f("ck_steps_started")),
        sa.CheckConstraint(
            "(status IN ('SUCCEEDED', 'FAILED')) = (finished_at IS NOT NULL)", name=op.f("ck_steps_finished")
        ),
        sa.CheckConstraint("status IN ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED')", name=op.f("ck_steps_status")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_steps_store_id")),
        sa.PrimaryKeyConstraint("store_id", "position", name=op.f("pk_steps")),
        sa.UniqueConstraint("store_id", "name", name=op.f("uq_steps_store_id_name")),
    )
    for statement in (*STATUS_MOVES, *EVENT_NUMBERS):
        op.execute(statement)
