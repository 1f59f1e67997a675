"""Migrations expand first and contract a release later. Each rule of the lint has a migration that it refuses."""

from pathlib import Path

import pytest

from tests.support.migrations_lint import (
    BATCH,
    COMMITS,
    CONSTRAINT,
    DROPS,
    INDEX,
    KEY,
    NOT_NULL,
    RENAMES,
    TYPE,
    UNDECLARED,
    problems,
)

VERSIONS = Path(__file__).parents[3] / "migrations" / "versions"


def migration(body: str, head: str = "") -> str:
    return f'"""A migration."""\n{head}\ndef upgrade() -> None:\n    {body}\n'


def test_our_migrations_only_expand() -> None:
    migrations = sorted(VERSIONS.glob("*.py"))
    assert migrations
    assert [problem for path in migrations for problem in problems(path.read_text(), path.name)] == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('op.drop_table("stores")', DROPS),
        ('op.drop_column("stores", "trouble")', DROPS),
        ('op.execute("DROP TABLE stores")', DROPS),
        ('op.execute("SELECT 1; alter table stores\\n  drop trouble")', DROPS),
        ('op.get_bind().execute(text(f"ALTER TABLE {name} DROP COLUMN trouble"))', DROPS),
        ('op.rename_table("stores", "shops")', RENAMES),
        ('op.alter_column("stores", "name", new_column_name="title")', RENAMES),
        ('op.execute("ALTER TABLE stores RENAME name TO title")', RENAMES),
        ('op.add_column("stores", sa.Column("note", sa.Text(), nullable=False))', NOT_NULL),
        ('op.add_column("stores", Column("note", Text(), nullable=False, server_default=None))', NOT_NULL),
        ('op.add_column("stores", sa.Column("number", sa.Integer(), primary_key=True))', NOT_NULL),
        ('op.alter_column("stores", "cause", nullable=False)', NOT_NULL),
        ('op.execute("ALTER TABLE stores ADD COLUMN note text NOT NULL")', NOT_NULL),
        ('op.execute("ALTER TABLE stores ALTER COLUMN cause SET NOT NULL")', NOT_NULL),
        ('op.alter_column("stores", "failures", type_=sa.BigInteger())', TYPE),
        ('op.execute("ALTER TABLE stores ALTER failures TYPE bigint")', TYPE),
        ('op.execute("ALTER TABLE stores ALTER COLUMN failures SET DATA TYPE bigint")', TYPE),
        ('op.create_index("ix", "stores", ["name"])', INDEX),
        ('op.create_index("ix", table_name="stores", columns=["name"], postgresql_concurrently=False)', INDEX),
        ('op.add_column("stores", sa.Column("note", sa.Text(), index=True))', INDEX),
        ('op.execute("CREATE UNIQUE INDEX ix ON stores (name)")', INDEX),
        ('op.create_check_constraint("ck", "stores", "failures > 0")', CONSTRAINT),
        ('op.create_foreign_key("fk", "stores", "users", ["owner"], ["id"])', CONSTRAINT),
        ('op.create_foreign_key("fk", "stores", "users", ["owner"], ["id"], postgresql_not_valid=False)', CONSTRAINT),
        ('op.add_column("stores", sa.Column("owner", sa.Uuid(), sa.ForeignKey("users.id")))', CONSTRAINT),
        ('op.execute("ALTER TABLE stores ADD CONSTRAINT ck CHECK (failures > 0)")', CONSTRAINT),
        ('op.create_unique_constraint("uq", "stores", ["name"])', KEY),
        ('op.create_primary_key("pk", "stores", ["name"])', KEY),
        ('op.add_column("stores", sa.Column("note", sa.Text(), unique=True))', KEY),
        ('op.execute("ALTER TABLE stores ADD CONSTRAINT uq UNIQUE (name)")', KEY),
        ('op.execute("ALTER TABLE stores ADD UNIQUE (name)")', KEY),
        ('op.batch_alter_table("stores")', BATCH),
        ('drop_table("stores")', DROPS),
    ],
)
def test_each_of_these_is_refused(body: str, problem: str) -> None:
    assert problems(migration(body), "0002.py") == [f"0002.py:4: {problem}"]
    new = 'op.create_table("shops", sa.Column("id", sa.Uuid(), nullable=False))\n    '
    assert problems(migration(new + body), "0002.py") == [f"0002.py:5: {problem}"]


@pytest.mark.parametrize(
    "body",
    [
        'op.add_column("stores", sa.Column("note", sa.Text(), nullable=True))',
        'op.add_column("stores", sa.Column("note", sa.Text(), nullable=False, server_default=""))',
        'op.add_column("stores", sa.Column("number", sa.Integer(), sa.Identity(), nullable=False))',
        'op.alter_column("stores", "cause", nullable=True)',
        'op.alter_column("stores", "plan", server_default="small")',
        'op.create_index("ix", "stores", ["name"], postgresql_concurrently=True)',
        'op.create_check_constraint("ck", "stores", "failures > 0", postgresql_not_valid=True)',
        'op.create_foreign_key("fk", "stores", "users", ["owner"], ["id"], postgresql_not_valid=True)',
        'op.drop_constraint("ck", "stores")',
        'op.execute("ALTER TABLE stores VALIDATE CONSTRAINT ck")',
        'op.execute("ALTER TABLE stores ADD CONSTRAINT ck CHECK (failures > 0) NOT VALID")',
        'op.execute("ALTER TABLE stores ADD CONSTRAINT uq UNIQUE USING INDEX ix")',
        "op.execute(\"ALTER TABLE stores ADD COLUMN note text NOT NULL DEFAULT ''\")",
        'op.execute("ALTER TABLE stores DROP CONSTRAINT ck")',
        'op.execute("CREATE INDEX CONCURRENTLY ix ON stores (name)")',
        "op.execute(\"UPDATE stores SET plan = 'small' WHERE plan IS NULL\")",
        "operations()()",
        "'drop table stores in words'",
    ],
)
def test_these_are_fine(body: str) -> None:
    assert problems(migration(body)) == []


INDEX_OF_ITS_OWN = """with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix")
        op.create_index("ix", "stores", ["name"], postgresql_concurrently=True)"""


def test_what_is_committed_in_the_middle_can_be_done_again() -> None:
    column = 'op.add_column("stores", sa.Column("note", sa.Text()))'
    assert problems(migration(f"{column}\n    {INDEX_OF_ITS_OWN}"), "0002.py") == [f"0002.py:5: {COMMITS}"]
    for fine in (f"{INDEX_OF_ITS_OWN}\n    {column}", f'"""Why."""\n    {INDEX_OF_ITS_OWN}\n    {INDEX_OF_ITS_OWN}'):
        assert problems(migration(fine)) == []


def test_new_tables_may_be_changed() -> None:
    body = """op.create_table("notes", sa.Column("id", sa.Uuid(), primary_key=True))
    op.add_column("notes", sa.Column("text", sa.Text(), nullable=False))
    op.alter_column("notes", "text", type_=sa.Integer(), nullable=False)
    op.create_index("ix", "notes", ["text"])
    op.create_foreign_key("fk", "notes", "stores", ["store_id"], ["id"])
    op.create_unique_constraint("uq", "notes", ["text"])"""
    assert problems(migration(body)) == []


def test_the_way_back_may_drop() -> None:
    assert problems('def downgrade() -> None:\n    op.drop_table("stores")\n') == []


def test_a_migration_that_contracts_says_so() -> None:
    drop = 'op.drop_column("stores", "trouble")'
    assert problems(migration(drop, 'CONTRACTS = "trouble is in the steps; unused since release 1.4"')) == []


@pytest.mark.parametrize("declared", ["True", "''", "'1.4'", "'because nobody uses it'", "why"])
def test_a_reason_without_a_release_is_none(declared: str) -> None:
    assert problems(migration("pass", f"CONTRACTS = {declared}")) == [f"migration.py:2: {UNDECLARED}"]
