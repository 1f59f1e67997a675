"""Shops of the MedusaJS image with a PostgreSQL server, without a cluster: running programs, and counting rows."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from stores.plans import PLANS
from tests.node.containers import Container, Containers, Image
from tests.node.shops import wait_for_response
from workers.engines import postgres
from workers.engines.medusa import UPLOADS

PASSWORD = 'it\'s \\ a "p`w" ü;#$x--'
ENV = {
    "DATABASE_HOST": "127.0.0.1",
    "DATABASE_USER": "medusa",
    "DATABASE_PASSWORD": PASSWORD,
    "STORE_URL": "http://fig.localhost:8080",
    "STORE_SERVICE": "http://127.0.0.1:8080",
    "STORE_TITLE": "Fig & Olive",
    "STORE_ADMIN_EMAIL": "owner@example.com",
    "STORE_ADMIN_PASSWORD": 'a "pass\\word" ü',
    "STORE_COUNTRY": "DE",
    "STORE_CURRENCY": "EUR",
    "STORE_PROOF_TOKEN": "p" * 32,
    "JWT_SECRET": "j" * 32,
    "COOKIE_SECRET": "c" * 32,
}
COUNT_ROWS = """
SELECT table_name, (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I', table_name),
  false, true, '')))[1] FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1
"""
Counts = Mapping[str, int]


@dataclass
class PostgresServer:
    """A server, started as in the StatefulSet."""

    container: Container

    def sql(self, query: str, database: str = "postgres", user: str = "postgres") -> list[str]:
        """The rows of a query; by default as the superuser."""
        host = "/tmp" if user == "postgres" else "127.0.0.1"
        argv = ["psql", f"--host={host}", f"--username={user}", "--no-align", "--tuples-only", database, "-c", query]
        done = self.container.exec(*argv, PGPASSWORD=PASSWORD)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def wait(self) -> "PostgresServer":
        """Waits until the readiness probe succeeds."""
        deadline = time.monotonic() + 60
        while self.container.exec("pg_isready", "--host=127.0.0.1", "--quiet").returncode:
            assert self.container.process.poll() is None, self.container.log
            assert time.monotonic() < deadline, self.container.log
            time.sleep(0.05)
        return self


def start_postgres(containers: Containers, image: Image, data: Path, network: Path | None = None) -> PostgresServer:
    """`data`: a folder for its data, owned by the image's user."""
    config = containers.folder / "postgres-config"
    config.mkdir(parents=True, exist_ok=True)
    for name, text in postgres.files(PLANS["small"]).items():
        (config / name).write_text(text)
    mounts = {postgres.VOLUME: data, postgres.CONFIG_DIRECTORY: config}
    env = {"POSTGRES_USER": "medusa", "POSTGRES_PASSWORD": PASSWORD}
    argv = ("sh", f"{postgres.CONFIG_DIRECTORY}/start")
    return PostgresServer(containers.start(image, *argv, env=env, mounts=mounts, network=network))


@dataclass
class MedusaShop:
    """A shop, installed or not: a database of a server, and a folder for uploads."""

    name: str
    image: Image
    containers: Containers
    server: PostgresServer
    uploads: Path

    def start(self, program: str, **env: str) -> Container:
        given = {**ENV, "DATABASE_NAME": self.name, **env}
        argv, mounts = ("node", f"src/programs/{program}.js"), {UPLOADS: self.uploads}
        return self.containers.start(self.image, *argv, env=given, mounts=mounts, network=self.server.container.network)

    def run(self, program: str, **env: str) -> tuple[int, str]:
        """Runs a program to its end. Returns its exit code and last line."""
        container = self.start(program, **env)
        code = container.wait()
        return code, container.log.strip().splitlines()[-1]

    def install(self, **env: str) -> "MedusaShop":
        code, last = self.run("install", **env)
        assert (code, json.loads(last)["done"]) == (0, "installed"), last
        return self

    def serve(self, **env: str) -> Container:
        """Starts the web server, and returns when the shop is ready."""
        web = self.start("web", **env)
        wait_for_response(web, "/readyz", 200, seconds=90)
        return web

    def counts(self) -> Counts:
        """Table -> number of rows."""
        rows = (line.split("|") for line in self.server.sql(COUNT_ROWS, self.name))
        return {table: int(number) for table, number in rows}

    def settled_counts(self) -> Counts:
        """The counts when Medusa has handled the events of the last requests."""
        while True:
            counts = self.counts()
            time.sleep(1)
            if self.counts() == counts:
                return counts


def new_shop(containers: Containers, image: Image, server: PostgresServer) -> MedusaShop:
    name = f"shop_{uuid4().hex}"
    server.sql(f"CREATE DATABASE {name} OWNER medusa")
    uploads = containers.folder / name
    uploads.mkdir(parents=True)
    os.chown(uploads, 10001, 10001)
    return MedusaShop(name, image, containers, server, uploads)


MedusaShops = Callable[[], MedusaShop]


@pytest.fixture(scope="session")
def medusa_image(unpack_image: Callable[[str], Image]) -> Image:
    return unpack_image("medusa")


@pytest.fixture(scope="session")
def postgres_image(unpack_image: Callable[[str], Image]) -> Image:
    return unpack_image("postgres")


@pytest.fixture
def postgres_server(containers: Containers, postgres_image: Image, disk: Path) -> PostgresServer:
    return start_postgres(containers, postgres_image, disk).wait()


@pytest.fixture
def new_medusa_shop(containers: Containers, medusa_image: Image, postgres_server: PostgresServer) -> MedusaShops:
    """Returns shops that aren't installed yet."""
    return lambda: new_shop(containers, medusa_image, postgres_server)
