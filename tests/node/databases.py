"""A container of the MariaDB image, run as in the StatefulSet."""

import time
from dataclasses import dataclass
from pathlib import Path

from tests.node.containers import Container, Containers, Image

SOCKET, TCP = (), ("--host=127.0.0.1",)
VARIABLES = {
    "MYSQL_DATABASE": "word_press",
    "MYSQL_USER": "wordpress",
    "MYSQL_PASSWORD": 'it\'s \\ a "p`w" ü;#$x--',
    "MYSQL_ROOT_PASSWORD": "ro'ot\\",
    "MYSQL_ROOT_HOST": "localhost",
}
PING = 'MYSQL_PWD="$MYSQL_PASSWORD" exec mariadb-admin --host=127.0.0.1 --user=wordpress --silent ping'


@dataclass
class Database:
    """A database server."""

    container: Container

    def sql(self, query: str, user: str = "wordpress", password: str = "", way: tuple[str, ...] = TCP) -> str:
        """The output of the mariadb client, with errors. The default password is that of VARIABLES."""
        password = password or VARIABLES["MYSQL_ROOT_PASSWORD" if user == "root" else "MYSQL_PASSWORD"]
        argv = ["mariadb", *way, f"--user={user}", "-NB", "--default-character-set=utf8mb4", "-e", query]
        done = self.container.exec(*argv, MYSQL_PWD=password)
        return (done.stdout + done.stderr).strip()

    def wait(self) -> "Database":
        """Waits until the readiness probe succeeds."""
        deadline = time.monotonic() + 60
        while self.container.exec("sh", "-c", PING).returncode:
            assert self.container.process.poll() is None, self.container.log
            assert time.monotonic() < deadline, self.container.log
            time.sleep(0.05)
        return self


def start_database(containers: Containers, image: Image, data: Path, network: Path | None = None) -> Database:
    """`data`: a folder for its data, owned by the image's user."""
    run = containers.folder / f"run-{len(containers.started)}"
    run.mkdir(parents=True)
    run.chmod(0o777)
    mounts = {"/var/lib/mysql": data, "/var/run/mysqld": run}
    return Database(containers.start(image, env=VARIABLES, mounts=mounts, network=network))
