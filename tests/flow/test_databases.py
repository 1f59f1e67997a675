"""The databases that tests use, one test after the other."""

import pytest

from tests.databases import Databases
from tests.support.embedded_servers import query_value

ACCOUNT = "INSERT INTO accounts (id, name) VALUES (gen_random_uuid(), 'Figs')"
NUMBER = "SELECT nextval('audit_id_seq')"


def test_a_database_is_emptied_and_used_again(databases: Databases) -> None:
    name = databases.take()
    url = databases.server.url_of(name)
    assert query_value(url, ACCOUNT, NUMBER) == 1
    databases.give_back(name)
    assert databases.take() == name
    assert query_value(url, "SELECT count(*) FROM accounts") == 0
    assert query_value(url, NUMBER) == 1
    databases.give_back(name)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE accounts ADD COLUMN mine text",
        "DROP TRIGGER status_moves ON stores",
        "ALTER TABLE stores DISABLE TRIGGER ALL",
        "REVOKE SELECT ON stores FROM storefleet_worker",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
def test_a_database_with_another_schema_is_dropped(databases: Databases, change: str) -> None:
    name = databases.take()
    query_value(databases.server.url_of(name), change, "SELECT 1")
    databases.give_back(name)
    assert query_value(databases.server.url, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == 0  # noqa: S608  # our name
