"""The MariaDB image in a container: users and passwords, kills at any point, shutdown."""

import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.node.containers import Containers, Image
from tests.node.databases import SOCKET, VARIABLES, Database, start_database

USERS = "mariadb.sys@localhost root@localhost wordpress@%"
Run = Callable[[], Database]


@pytest.fixture(scope="module")
def image(unpack_image: Callable[[str], Image]) -> Image:
    image = unpack_image("mariadb")
    assert image.name == "docker.io/library/mariadb:debian"
    (image.root / "etc/mysql/conf.d").joinpath("test.cnf").write_text(
        "[mysqld]\nskip-name-resolve\nsecure-file-priv = /tmp\n"
    )
    return image


@pytest.fixture
def run(image: Image, containers: Containers, disk: Path) -> Run:
    """Starts a server with the test's data folder."""
    return lambda: start_database(containers, image, disk)


def check(database: Database) -> None:
    """Asserts that it has exactly the users of VARIABLES, and that its tables are consistent."""
    password = VARIABLES["MYSQL_ROOT_PASSWORD"]
    users = database.sql("SELECT concat(user, '@', host) FROM mysql.user ORDER BY 1", "root", way=SOCKET)
    assert users.split() == USERS.split()
    assert (
        database.sql("CREATE TABLE word_press.t (a int); INSERT word_press.t VALUES (7); SELECT a FROM word_press.t")
        == "7"
    )
    argv = ("mariadb-check", "--user=root", "--all-databases", "--silent")
    faults = database.container.exec(*argv, MYSQL_PWD=password)
    assert (faults.returncode, faults.stdout) == (0, "")
    assert "[ERROR]" not in database.container.log


def test_it_has_the_users_that_its_variables_name_whatever_their_passwords(run: Run) -> None:
    database = run().wait()
    check(database)
    assert "ERROR 1044" in database.sql("CREATE DATABASE wordxpress")  # an underscore stands for itself
    assert "ERROR 1045" in database.sql("SELECT 1", password="wrong")
    assert "ERROR 1045" in database.sql("SELECT 1", "root")  # from elsewhere, which localhost isn't
    assert "ERROR 1045" in database.sql("SELECT 1", "nobody", way=SOCKET)
    assert database.container.stop() == 0
    assert "Shutdown complete" in database.container.log

    again = run().wait()
    assert again.sql("SELECT a FROM word_press.t") == "7"
    again.container.stop(signal.SIGKILL)
    last = run().wait()
    assert last.sql("SELECT a FROM word_press.t") == "7"


def test_a_first_start_may_be_killed_anywhere(run: Run, disk: Path) -> None:
    rng = random.Random(20261124)
    for _ in range(6):
        for path in disk.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for _ in range(rng.choice((1, 1, 2))):
            killed = run().container
            time.sleep(rng.uniform(0, 2))
            assert killed.stop(signal.SIGKILL) == 128 + signal.SIGKILL
        database = run().wait()
        check(database)
        assert not (disk / ".new").exists()
        assert database.container.stop() == 0


def test_it_ends_when_it_is_asked_to_while_it_starts(run: Run) -> None:
    run().wait().container.stop()
    for tenths in range(1, 8):
        container = run().container
        time.sleep(tenths / 10)
        assert container.stop(seconds=20) in (0, 128 + signal.SIGTERM)
