"""PgBouncer in front of the tests' PostgreSQL: a transaction pooler with two connections to the server."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from sandbox.processes import change_owner, start, unprivileged_identity
from tests.support.waiting import eventually

PORT = 6432
POOL_SIZE = 2


def find_pgbouncer() -> str:
    """The program. Skips the test where it is missing."""
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("PgBouncer is not installed: apt-get install pgbouncer")
    return found


@contextmanager
def run_pgbouncer(database_url: str, folder: Path, *settings: str, port: int = PORT) -> Iterator[str]:
    """The URL of the same database through PgBouncer, until the end of the block. `folder`: a short path, new.

    `settings`: more lines of its configuration; the last value of a name holds.
    """
    name, _, query = database_url.partition("@/")[2].partition("?")
    server = unquote(query.partition("host=")[2].partition("&")[0])
    identity = unprivileged_identity()  # it refuses to run as root
    folder.mkdir()
    (folder / "users.txt").write_text('"storefleet" ""\n')
    (folder / "pgbouncer.ini").write_text(f"""
[databases]
{name} = host={server} port=5432 user=storefleet
[pgbouncer]
pool_mode = transaction
default_pool_size = {POOL_SIZE}
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
auth_file = {folder}/users.txt
{"".join(f"{line}{chr(10)}" for line in settings)}""")
    change_owner(folder, identity)
    child = start(
        "pgbouncer",
        [find_pgbouncer(), folder / "pgbouncer.ini"],
        log=folder / "pgbouncer.log",
        cwd=folder,
        env={"PATH": os.defpath},
        identity=identity,
        death_signal=signal.SIGKILL,
    )
    try:
        assert eventually((folder / f".s.PGSQL.{port}").exists), child.log_tail()
        yield f"postgresql://storefleet@/{name}?host={quote(str(folder))}&port={port}"
    finally:
        child.kill()
