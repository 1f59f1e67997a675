"""The MariaDB image's entry point `start` with a fake server: files, SQL statements, exit codes.

tests/node runs it with a real server.
"""

import os
import signal
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.waiting import HANG_SECONDS, eventually

ROOT = Path(__file__).parents[3]
SERVER = """\
#!/bin/sh
for word; do case $word in --init-file=*) cat "${word#--init-file=}" > there/init.sql ;; esac; done
env > there/environment
trap 'echo asked >> there/log; exit 0' TERM
touch there/up
while [ ! -e there/end ]; do sleep 0.02; done
exit 7
"""
ADMIN = """\
#!/bin/sh
echo ping >> there/log
[ -e there/answers ] || { echo "error: 'Can't connect to local server through socket'"; exit 1; }
echo "error: 'Too many connections'"; exit 1
"""
VARIABLES = {
    "MYSQL_DATABASE": "word_press",
    "MYSQL_USER": "o'wner\\",
    "MYSQL_PASSWORD": 'it\'s `a\\ "p$(w)"%',
    "MYSQL_ROOT_PASSWORD": "'",
    "MYSQL_ROOT_HOST": "localhost",
}
INIT_SQL = r"""SET sql_mode = '';
CREATE USER IF NOT EXISTS 'root'@'localhost' IDENTIFIED BY '''';
GRANT ALL ON *.* TO 'root'@'localhost' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS `word_press`;
CREATE USER IF NOT EXISTS 'o''wner\\'@'%' IDENTIFIED BY 'it''s `a\\ "p$(w)"%';
GRANT ALL ON `word\_press`.* TO 'o''wner\\'@'%';
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A folder with the data directory, and the files that the fake programs write."""
    there = tmp_path / "there"
    (there / "disk").mkdir(parents=True)
    made = tmp_path / "made"
    for name in ("mysql/users", "sys/views", "ibdata1", "ib_logfile0"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text("new")
    with tarfile.open(tmp_path / "empty.tar.gz", "w:gz") as tar:
        tar.add(made, ".")
    return there


@pytest.fixture
def start(there: Path) -> Iterator[Start]:
    """Starts the entry point, with paths in the test's folder."""
    place = there.parent
    text = (ROOT / "images" / "mariadb" / "start").read_text()
    for path, ours in (
        ("/var/lib/mysql", there / "disk"),
        ("/usr/share/storefleet/empty.tar.gz", place / "empty.tar.gz"),
        ("/tmp/init.sql", place / "init.sql"),
    ):
        assert path in text
        text = text.replace(path, str(ours))
    (place / "bin").mkdir()
    for name, program in (("start", text), ("mariadbd", SERVER), ("mariadb-admin", ADMIN)):
        (place / "bin" / name).write_text(program)
        (place / "bin" / name).chmod(0o755)
    started: list[subprocess.Popen[str]] = []

    def run(*words: str, **changes: str) -> subprocess.Popen[str]:
        environment = {"PATH": f"{place}/bin:/usr/bin:/bin", **VARIABLES, **changes}
        program = [str(place / "bin" / "start"), *words]
        process = subprocess.Popen(
            program, cwd=place, env=environment, stderr=subprocess.PIPE, text=True, process_group=0
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def is_up(there: Path) -> bool:
    return eventually((there / "up").exists)


def texts(disk: Path) -> dict[str, str]:
    return {str(path.relative_to(disk)): path.read_text() for path in disk.rglob("*") if path.is_file()}


def test_the_first_start_unpacks_an_empty_database_and_runs_the_statements(there: Path, start: Start) -> None:
    start()
    assert is_up(there)
    disk = there / "disk"
    assert texts(disk) == dict.fromkeys(("mysql/users", "sys/views", "ibdata1", "ib_logfile0"), "new")
    assert not (disk / ".new").exists()
    assert (disk / "ibdata1").stat().st_mode & 0o077 == 0
    assert (there / "init.sql").read_text() == INIT_SQL
    known = (there / "environment").read_text()
    assert ("MYSQL_PASSWORD" in known, "MYSQL_ROOT_PASSWORD" in known) == (False, False)


def test_what_an_earlier_start_didnt_finish_is_replaced(there: Path, start: Start) -> None:
    disk = there / "disk"
    for name in ("sys/half", "ibdata1", ".new/mysql/half"):
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).write_text("old")
    start()
    assert is_up(there)
    assert texts(disk) == dict.fromkeys(("mysql/users", "sys/views", "ibdata1", "ib_logfile0"), "new")


def test_a_database_that_is_there_stays(there: Path, start: Start) -> None:
    disk = there / "disk"
    for name in ("mysql/users", "ibdata1", ".new/sys/views"):
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).write_text("old")
    start()
    assert is_up(there)
    assert texts(disk) == {"mysql/users": "old", "ibdata1": "old"}


@pytest.mark.parametrize(
    ("changes", "statements"),
    [
        ({"MYSQL_DATABASE": ""}, INIT_SQL.splitlines()[:3]),
        ({"MYSQL_USER": "", "MYSQL_PASSWORD": ""}, INIT_SQL.splitlines()[:4]),
        (
            {"MYSQL_ROOT_HOST": "10.%", "MYSQL_DATABASE": ""},
            [
                *INIT_SQL.splitlines()[:3],
                "CREATE USER IF NOT EXISTS 'root'@'10.%' IDENTIFIED BY '''';",
                "GRANT ALL ON *.* TO 'root'@'10.%' WITH GRANT OPTION;",
            ],
        ),
        (
            {"MYSQL_ROOT_HOST": "", "MYSQL_USER": "", "MYSQL_DATABASE": "a`b%"},
            [
                *INIT_SQL.splitlines()[:3],
                "CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '''';",
                "GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;",
                "CREATE DATABASE IF NOT EXISTS `a``b%`;",
            ],
        ),
    ],
)
def test_variables_that_arent_given_ask_for_nothing(
    there: Path, start: Start, changes: dict[str, str], statements: list[str]
) -> None:
    start(**changes)
    assert is_up(there)
    assert (there / "init.sql").read_text().splitlines() == statements


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"MYSQL_ROOT_PASSWORD": ""}, "start: MYSQL_ROOT_PASSWORD must be set\n"),
        ({"MYSQL_PASSWORD": ""}, "start: MYSQL_USER needs a MYSQL_PASSWORD\n"),
        ({"MYSQL_PASSWORD": "a;\nDROP DATABASE mysql"}, "start: a variable has more than one line\n"),
    ],
)
def test_what_makes_no_sense_is_refused(there: Path, start: Start, changes: dict[str, str], message: str) -> None:
    process = start(**changes)
    assert process.communicate(timeout=HANG_SECONDS)[1] == message
    assert process.returncode == 1
    assert list((there / "disk").iterdir()) == []


def test_a_server_that_is_still_starting_is_asked_when_it_answers(there: Path, start: Start) -> None:
    process = start()
    assert is_up(there)
    process.terminate()
    log = there / "log"
    assert eventually(lambda: log.exists() and log.read_text().count("ping") > 1)
    assert "asked" not in log.read_text()
    (there / "answers").touch()
    assert process.wait(HANG_SECONDS) == 0
    assert log.read_text().splitlines()[-1] == "asked"


def test_a_server_that_ends_by_itself_ends_the_container(there: Path, start: Start) -> None:
    process = start()
    assert is_up(there)
    (there / "end").touch()
    assert process.wait(HANG_SECONDS) == 7


def test_a_server_that_ends_while_it_is_waited_for_ends_the_container(there: Path, start: Start) -> None:
    process = start()
    assert is_up(there)
    process.terminate()
    assert eventually((there / "log").exists)
    (there / "end").touch()
    assert process.wait(HANG_SECONDS) == 7
