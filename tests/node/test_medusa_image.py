"""The MedusaJS and PostgreSQL images in containers: programs killed at any point and run again, or run concurrently."""

import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.node.containers import Containers, Image
from tests.node.medusa_shops import ENV, MedusaShops, PostgresServer, start_postgres
from tests.node.shops import HOST, wait_for_response


def test_a_first_start_of_the_database_may_be_killed_anywhere(
    containers: Containers, postgres_image: Image, disk: Path
) -> None:
    rng = random.Random(20261129)
    for _ in range(5):
        for path in disk.iterdir():
            shutil.rmtree(path)
        killed = start_postgres(containers, postgres_image, disk).container
        assert killed.pid
        time.sleep(rng.uniform(0, 1.5))
        assert killed.stop(signal.SIGKILL) == 128 + signal.SIGKILL
        server = start_postgres(containers, postgres_image, disk).wait()
        assert server.sql("SELECT current_user", "medusa", user="medusa") == ["medusa"]
        assert server.sql("SELECT rolname FROM pg_roles WHERE rolsuper") == ["postgres"]
        assert [path.name for path in disk.iterdir()] == ["data-of-store"]
        with client(server):
            assert server.container.stop(signal.SIGINT) == 0
        assert "database system is shut down" in server.container.log


@contextmanager
def client(server: PostgresServer) -> Iterator[None]:
    """A client of the server that is connected, with a query, until the server ends."""
    query = ["psql", "--host=/tmp", "--username=postgres", "-c", "SELECT pg_sleep(600)"]
    with subprocess.Popen(["runc", "exec", server.container.name, *query], stderr=subprocess.DEVNULL) as process:
        while not server.sql("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"):
            assert process.poll() is None
            time.sleep(0.05)
        yield
        assert process.wait(60) != 0


def test_an_installation_may_be_killed_anywhere(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    complete = shop.counts()
    assert (complete["product"], complete["user"], complete["storefleet"]) == (1, 1, 1)
    assert json.loads(shop.run("install")[1])["done"] == "nothing to install"
    assert shop.counts() == complete
    rng = random.Random(20261129)
    for _ in range(5):
        shop = new_medusa_shop()
        killed = shop.start("install")
        assert killed.pid
        time.sleep(rng.uniform(0.1, 2))
        killed.stop(signal.SIGKILL)
        assert shop.run("install")[0] == 0
        assert shop.counts() == complete


def test_three_installations_at_once_make_one_shop(new_medusa_shop: MedusaShops) -> None:
    shop, complete = new_medusa_shop(), new_medusa_shop().install().counts()
    programs = [shop.start("install") for _ in range(3)]
    assert [program.wait() for program in programs] == [0, 0, 0]
    done = sorted(json.loads(program.log.strip().splitlines()[-1])["done"] for program in programs)
    assert done == ["installed", "nothing to install", "nothing to install"]
    assert shop.counts() == complete


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"STORE_COUNTRY": "de"}, "STORE_COUNTRY must be two capital letters."),
        ({"STORE_ADMIN_EMAIL": "owner"}, "STORE_ADMIN_EMAIL is no e-mail address that Medusa can keep: owner"),
        ({"STORE_TITLE": ""}, "The variable STORE_TITLE is not set: the platform has to give it."),
    ],
)
def test_an_environment_that_no_retry_mends(new_medusa_shop: MedusaShops, wrong: dict[str, str], message: str) -> None:
    assert new_medusa_shop().run("install", **wrong) == (78, message)


@pytest.mark.parametrize("program", ["install", "web"])
def test_a_database_that_refuses_is_a_cause_at_once(new_medusa_shop: MedusaShops, program: str) -> None:
    """For the server, too: it says nothing of what visitors have sent."""
    refused = "The database refuses the user of Medusa: its password is not the one the database was made with."
    assert new_medusa_shop().run(program, DATABASE_PASSWORD="another") == (1, refused)


def test_a_secret_that_is_missing_is_a_cause(new_medusa_shop: MedusaShops) -> None:
    message = "The variable JWT_SECRET is not set: the platform has to give it."
    assert new_medusa_shop().run("web", JWT_SECRET="") == (1, message)


FULL = "A disk of the store is full: choose a larger plan, or have the operator free space."
CAUSES = {
    'could not extend file "base/16386/16723": No space left on device': FULL,
    "ENOSPC: no space left on device, write": FULL,
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory":
        "Medusa has run out of memory: choose a larger plan, or tell the operator.",
    "53200 out of memory": "The database has run out of memory: choose a larger plan, or tell the operator.",
    "53300 sorry, too many clients already": "The database has no free connection: retry in a moment.",
    "listen EADDRINUSE: address already in use :::8080": "Another program has the port of the shop: tell the operator.",
    'database "medusa" does not exist': "The database server has no database of this shop.",
    "WRONGPASS invalid username-password pair or user is disabled.":
        "Valkey refuses the password of the shop: tell the operator.",
    'Pg connection failed to connect to the database. Retrying...\\n{"errno":-111,"code":"ECONNREFUSED","port":5999}':
        "The database does not answer.",
    'relation "product" already exists': None,
}  # fmt: skip
"""What PostgreSQL, Node.js, Medusa and Valkey print, and what the owner reads."""


def test_their_own_words_become_causes(containers: Containers, medusa_image: Image) -> None:
    script = (
        "const { explain } = require('./src/programs/causes');"
        "console.log(JSON.stringify(JSON.parse(process.env.LINES).map((line) => explain(line) ?? null)));"
    )
    container = containers.start(medusa_image, "node", "-e", script, env={"LINES": json.dumps(list(CAUSES))}, mounts={})
    assert container.wait() == 0, container.log
    assert json.loads(container.log) == list(CAUSES.values())


def test_a_migration_that_fails_says_why(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    shop.server.sql("UPDATE storefleet SET value = '2.0.0' WHERE name = 'release'", shop.name)
    shop.server.sql("DROP TABLE mikro_orm_migrations CASCADE; CREATE VIEW mikro_orm_migrations AS SELECT 1", shop.name)
    code, last = shop.run("install")
    assert code == 1
    assert last.startswith("The database could not be migrated: "), last
    assert "exit code" not in last


def test_a_proof_leaves_no_row_even_if_it_is_killed(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop().install()
    shop.serve()
    before = shop.settled_counts()
    code, last = shop.run("prove")
    assert (code, json.loads(last)["simulated"]) == (0, False), last
    assert shop.settled_counts() == before
    for step in ("shop", "product", "cart", "checkout", "order"):
        killed = shop.start("prove")
        while f'"step":"{step}"' not in killed.log:
            assert killed.process.poll() is None, killed.log
            time.sleep(0.02)
        killed.stop(signal.SIGKILL)
        time.sleep(1)  # the server ends the killed proof's last request
    assert shop.run("prove")[0] == 0
    assert shop.settled_counts() == before


def test_web_is_not_ready_while_the_database_is_away(
    new_medusa_shop: MedusaShops, containers: Containers, postgres_image: Image, disk: Path
) -> None:
    shop = new_medusa_shop().install()
    web = shop.serve()
    shop.server.container.stop(signal.SIGKILL)
    assert web.request("/readyz", Host=HOST)[0] == 503
    assert web.request("/healthz", Host=HOST)[0] == 200
    start_postgres(containers, postgres_image, disk, network=web.network).wait()
    wait_for_response(web, "/readyz", 200)


def test_web_loads_its_code_while_it_waits_and_from_the_compile_cache(new_medusa_shop: MedusaShops) -> None:
    """Another Node.js, user or path would use no cache, and another list would load less: both only start slower."""
    shop, debug = new_medusa_shop(), {"NODE_DEBUG_NATIVE": "COMPILE_CACHE"}
    web = shop.start("web", **debug)
    while web.log.count("was accepted") < 5000:
        assert web.process.poll() is None, web.log
        time.sleep(0.2)
    installed = shop.start("install", **debug)
    assert installed.wait() == 0
    wait_for_response(web, "/readyz", 200, seconds=90)
    for program in (installed, web):
        used, missing = (program.log.count(text) for text in ("was accepted", "was not initialized"))
        assert missing < used / 100, program.name


def test_no_secret_is_printed(new_medusa_shop: MedusaShops) -> None:
    shop = new_medusa_shop()
    shop.server.sql(f"ALTER DATABASE {shop.name} OWNER TO postgres")
    program = shop.start("install")
    assert program.wait() == 1
    assert "permission denied" in program.log
    for name in ("DATABASE_PASSWORD", "STORE_ADMIN_PASSWORD"):
        assert ENV[name] not in program.log
