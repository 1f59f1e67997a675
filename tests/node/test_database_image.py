"""The MariaDB image by itself, as our StatefulSet runs it: any user's secrets, killed anywhere, ended at any time."""

import json
import os
import random
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SOCKET, TCP = (), ("--host=127.0.0.1",)
VARIABLES = {
    "MYSQL_DATABASE": "word_press",
    "MYSQL_USER": "wordpress",
    "MYSQL_PASSWORD": 'it\'s \\ a "p`w" ü;#$x--',
    "MYSQL_ROOT_PASSWORD": "ro'ot\\",
    "MYSQL_ROOT_HOST": "localhost",
}
USERS = "mariadb.sys@localhost root@localhost wordpress@%"
PING = 'MYSQL_PWD="$MYSQL_PASSWORD" exec mariadb-admin --host=127.0.0.1 --user=wordpress --silent ping'


@dataclass
class Container:
    """One of the image, with a read-only root and an ordinary user."""

    name: str
    folder: Path
    process: subprocess.Popen[bytes]

    def do(self, *argv: str, password: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["runc", "exec", "--env", f"MYSQL_PWD={password}", self.name, *argv], capture_output=True, text=True
        )

    def sql(self, query: str, user: str = "wordpress", password: str = "", way: tuple[str, ...] = TCP) -> str:
        """What it answers or complains of; the password is that of the variables unless one is given."""
        password = password or VARIABLES["MYSQL_ROOT_PASSWORD" if user == "root" else "MYSQL_PASSWORD"]
        argv = ["mariadb", *way, f"--user={user}", "-NB", "--default-character-set=utf8mb4", "-e", query]
        done = self.do(*argv, password=password)
        return (done.stdout + done.stderr).strip()

    def wait(self) -> None:
        """As the probe does."""
        deadline = time.monotonic() + 60
        while self.do("sh", "-c", PING).returncode:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 30) -> int:
        """The exit code of its first process."""
        deadline = time.monotonic() + 10
        while not (pid := self._pid()) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(pid, number)
        return self.process.wait(seconds)

    def _pid(self) -> int:
        path = self.folder / "pid"
        return int(path.read_text() or 0) if path.exists() else 0

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


Run = Callable[[], Container]


@pytest.fixture(scope="module")
def image(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Its root folder, and how it is run."""
    layout, root = tmp_path_factory.mktemp("layout"), tmp_path_factory.mktemp("root")
    with tarfile.open(archives["mariadb"]) as tar:
        tar.extractall(layout, filter="data")

    def blob(reference: dict[str, str]) -> Path:
        return layout / "blobs" / reference["digest"].replace(":", "/")

    root.chmod(0o755)
    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "docker.io/library/mariadb:debian"}
    manifest = json.loads(blob(entry).read_text())
    for layer in manifest["layers"]:
        subprocess.run(["tar", "--extract", "--gzip", "--file", blob(layer), "--directory", root], check=True)
        for mark in list(root.rglob(".wh.*")):  # what a layer takes away
            mark.with_name(mark.name.removeprefix(".wh.")).unlink(missing_ok=True)
            mark.unlink()
    (root / "etc/mysql/conf.d").joinpath("test.cnf").write_text(
        "[mysqld]\nskip-name-resolve\nsecure-file-priv = /tmp\n"
    )
    return root, json.loads(blob(manifest["config"]).read_text())["config"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The empty disk."""
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 10001, 10001)
    return data


@pytest.fixture
def run(image: tuple[Path, dict[str, Any]], data: Path, tmp_path: Path) -> Iterator[Run]:
    """Starts one on the disk."""
    root, config = image
    started: list[Container] = []

    def start() -> Container:
        folder = tmp_path / f"container-{len(started)}"
        (folder / "run").mkdir(parents=True)
        (folder / "run").chmod(0o777)
        subprocess.run(["runc", "spec"], cwd=folder, check=True)
        spec = json.loads((folder / "config.json").read_text())
        user, group = map(int, config["User"].split(":"))
        spec["process"] |= {
            "terminal": False,
            "user": {"uid": user, "gid": group},
            "args": config["Entrypoint"],
            "env": config["Env"] + [f"{name}={value}" for name, value in VARIABLES.items()],
            "capabilities": {},
            "rlimits": [],
        }
        spec["root"] = {"path": str(root), "readonly": True}
        spec["linux"]["resources"] = {}
        spec["mounts"] += [
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
            *(
                {"destination": where, "type": "bind", "source": str(source), "options": ["bind", "rw"]}
                for where, source in (("/var/lib/mysql", data), ("/var/run/mysqld", folder / "run"))
            ),
        ]
        (folder / "config.json").write_text(json.dumps(spec))
        name = f"storefleet-{os.getpid()}-{len(started)}"
        with (folder / "log").open("wb") as log:
            argv = ["runc", "run", "--pid-file", str(folder / "pid"), name]
            process = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        started.append(Container(name, folder, process))
        return started[-1]

    yield start
    for container in started:
        if container.process.poll() is None:
            container.end(signal.SIGKILL)


def check(container: Container) -> None:
    """It has all that its variables ask for, and nothing else, and its tables are without fault."""
    password = VARIABLES["MYSQL_ROOT_PASSWORD"]
    users = container.sql("SELECT concat(user, '@', host) FROM mysql.user ORDER BY 1", "root", way=SOCKET)
    assert users.split() == USERS.split()
    assert (
        container.sql("CREATE TABLE word_press.t (a int); INSERT word_press.t VALUES (7); SELECT a FROM word_press.t")
        == "7"
    )
    faults = container.do("mariadb-check", "--user=root", "--all-databases", "--silent", password=password)
    assert (faults.returncode, faults.stdout) == (0, "")
    assert "[ERROR]" not in container.log


def test_it_has_the_users_that_its_variables_name_whatever_their_passwords(run: Run) -> None:
    container = run()
    container.wait()
    check(container)
    assert "ERROR 1044" in container.sql("CREATE DATABASE wordxpress")  # an underscore stands for itself
    assert "ERROR 1045" in container.sql("SELECT 1", password="wrong")
    assert "ERROR 1045" in container.sql("SELECT 1", "root")  # from elsewhere, which localhost isn't
    assert "ERROR 1045" in container.sql("SELECT 1", "nobody", way=SOCKET)
    assert container.end() == 0
    assert "Shutdown complete" in container.log

    again = run()
    again.wait()
    assert again.sql("SELECT a FROM word_press.t") == "7"
    again.end(signal.SIGKILL)
    last = run()
    last.wait()
    assert last.sql("SELECT a FROM word_press.t") == "7"


def test_a_first_start_may_be_killed_anywhere(run: Run, data: Path) -> None:
    rng = random.Random(20261124)
    for _ in range(6):
        for path in data.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for _ in range(rng.choice((1, 1, 2))):
            killed = run()
            time.sleep(rng.uniform(0, 2))
            assert killed.end(signal.SIGKILL) == 128 + signal.SIGKILL
        container = run()
        container.wait()
        check(container)
        assert not (data / ".new").exists()
        assert container.end() == 0


def test_it_ends_when_it_is_asked_to_while_it_starts(run: Run) -> None:
    first = run()
    first.wait()
    first.end()
    for tenths in range(1, 8):
        container = run()
        time.sleep(tenths / 10)
        assert container.end(seconds=20) in (0, 128 + signal.SIGTERM)
