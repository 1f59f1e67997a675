"""Operators: who is one, sessions in which one is signed in as a user, suspended accounts, capacity of clusters."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

STATUS_MOVES = """
CREATE OR REPLACE FUNCTION refuse_status_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.status, NEW.status) NOT IN (
        ('REQUESTED', 'PROVISIONING'),
        ('PROVISIONING', 'READY'), ('PROVISIONING', 'FAILED'),
        ('READY', 'UPDATING'), ('READY', 'SUSPENDING'),
        ('UPDATING', 'READY'), ('UPDATING', 'FAILED'),
        ('SUSPENDING', 'SUSPENDED'), ('SUSPENDING', 'FAILED'),
        ('SUSPENDED', 'RESUMING'),
        ('RESUMING', 'READY'), ('RESUMING', 'FAILED'),
        ('FAILED', OLD.failed_in), ('FAILED', 'SUSPENDING'),
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
"""
"""As in 0001, and a FAILED store can be suspended: the pods of a failed update may still serve the shop."""


def upgrade() -> None:
    op.add_column("users", sa.Column("is_operator", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("accounts", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("accounts", sa.Column("suspension_reason", sa.Text(), nullable=True))
    op.add_column("sessions", sa.Column("operator_id", sa.Uuid(), nullable=True))
    op.add_column("sessions", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("operator_id", sa.Uuid(), nullable=True))
    op.add_column("stores", sa.Column("suspended_by_account", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(STATUS_MOVES)
    op.create_table(
        "cluster_capacity",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("nodes", sa.Integer(), nullable=False),
        sa.Column("allocatable_cpu", sa.BigInteger(), nullable=False),
        sa.Column("allocatable_memory", sa.BigInteger(), nullable=False),
        sa.Column("allocatable_pods", sa.BigInteger(), nullable=False),
        sa.Column("stores", sa.Integer(), nullable=False),
        sa.Column("requested_cpu", sa.BigInteger(), nullable=False),
        sa.Column("requested_memory", sa.BigInteger(), nullable=False),
        sa.Column("requested_pods", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("cluster", name=op.f("pk_cluster_capacity")),
    )
