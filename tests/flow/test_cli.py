"""The operator's commands, on a real database and a simulated cluster."""

import asyncio
import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog
import yaml
from pydantic import SecretStr

from cli.commands import main
from runtime import settings
from runtime.sealing import generate_key
from tests.support.database_roles import role_urls
from tests.support.harness import Harness, run_harness

KEYS: dict[str, Any] = {"admin_keys": SecretStr(generate_key("a1")), "worker_keys": SecretStr(generate_key("w1"))}


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str, redis_url: str
) -> Iterator["Command"]:
    monkeypatch.setenv("STOREFLEET_DATABASE_URL", database_url)
    monkeypatch.setenv("STOREFLEET_REDIS_URL", redis_url)
    for name, value in KEYS.items():
        monkeypatch.setenv(f"STOREFLEET_{name.upper()}", value.get_secret_value())
    root, configuration = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers, root.level
    yield Command(monkeypatch, capsys)
    # `storefleet api` configures logging to this test's stdout, which is closed in the next tests
    root.handlers, root.level = handlers, level
    structlog.configure(**configuration)


class Command:
    """Runs `storefleet …` in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys

    def __call__(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        settings.load_settings.cache_clear()
        settings.load_cluster_profile.cache_clear()
        self.monkeypatch.setattr("sys.argv", ["storefleet", *words])
        self.monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        self.capsys.readouterr()
        url = os.environ["STOREFLEET_DATABASE_URL"]
        if words[0] != "migrate":  # which runs as the owner of the tables
            role = "api" if words[0] in ("api", "tokens", "users") else "worker"
            self.monkeypatch.setenv("STOREFLEET_DATABASE_URL", getattr(role_urls(url), role))
        code = main()
        self.monkeypatch.setenv("STOREFLEET_DATABASE_URL", url)
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err


def test_users_and_tokens(command: Command) -> None:
    code, out, _ = command("users", "add", "Ops@Example.com", stdin="a long password\n")
    assert (code, "Ops@Example.com" in out) == (0, True)
    assert command("users", "list")[1].strip() == "ops@example.com"
    for email, password, message in (
        ("ops@example.com", "a long password", "There is a user"),
        ("nobody", "a long password", "not an e-mail address"),
        ("new@example.com", "short", "at least 10 characters"),
    ):
        code, _, err = command("users", "add", email, stdin=password + "\n")
        assert (code, message in " ".join(err.split())) == (1, True), err
    assert command("users", "limits", "ops@example.com", "--stores", "7", "--per-hour", "9")[0] == 0
    assert command("users", "limits", "nobody@example.com", "--stores", "7")[0] == 1

    code, out, _ = command("tokens", "create", "ops@example.com", "--name", "ci", "--read-only")
    assert code == 0
    assert out.startswith("sf_")
    assert command("tokens", "create", "ops@example.com", "--name", "")[0] == 1
    assert command("tokens", "create", "nobody@example.com")[0] == 1
    assert command("tokens", "revoke", stdin=out)[0] == 0
    code, _, err = command("tokens", "revoke", stdin=out)
    assert (code, "already revoked" in err) == (1, True)


def test_manifests_prints_what_kubectl_apply_takes(
    command: Command, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async def make() -> str:
        async with run_harness(database_url, redis_url, tmp_path, **KEYS) as made:
            store = await made.create_store(name="日本 $(HOME)")
            await made.wait_for_status(store["id"], "READY")
            return str(store["slug"])

    slug = asyncio.run(make())
    code, out, _ = command("manifests", slug)
    assert code == 0
    objects: list[dict[str, Any]] = list(yaml.safe_load_all(out))
    kinds = {item["kind"] for item in objects}
    assert {"Namespace", "NetworkPolicy", "StatefulSet", "Deployment", "Ingress"} <= kinds
    assert not {"Secret", "Job"} & kinds
    store_id = objects[0]["metadata"]["labels"]["storefleet.dev/store"]
    code, out, _ = command("manifests", store_id, "--secrets")
    assert (code, "kind: Secret" in out) == (0, True)
    assert command("manifests", "nothing")[0] == 1
    command.monkeypatch.setenv("STOREFLEET_WORKER_KEYS", generate_key("w1"))
    code, _, err = command("manifests", slug, "--secrets")
    assert (code, "can't be unsealed" in err) == (1, True)
    command.monkeypatch.delenv("STOREFLEET_WORKER_KEYS")
    code, _, err = command("manifests", slug, "--secrets")
    assert (code, "STOREFLEET_WORKER_KEYS" in err) == (1, True)


def test_doctor_says_what_is_missing_and_what_to_do(
    command: Command, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async def run_checks() -> None:
        async with run_harness(database_url, redis_url, tmp_path, worker=False) as made:
            await well(made)
            await certified(made)
            await ill(made)

    async def run() -> tuple[int, str]:
        code, out, _ = await asyncio.to_thread(command, "doctor")
        return code, " ".join(out.split())

    async def well(_made: Harness) -> None:
        command.monkeypatch.setenv("STOREFLEET_ENVIRONMENT", "development")
        command.monkeypatch.setenv("STOREFLEET_KUBECONFIG", str(tmp_path / "kubeconfig"))
        code, out = await run()
        assert code == 0, out
        for subject in (
            "database",
            "redis",
            "cluster",
            "rights",
            "admission",
            "IngressClass",
            "StorageClass",
            "orphans",
        ):
            assert subject in out

    async def certified(made: Harness) -> None:
        for name, value in {"BASE_DOMAIN": "shops.example.com", "STORE_SCHEME": "https"}.items():
            command.monkeypatch.setenv(f"STOREFLEET_{name}", value)
        classes = "/apis/networking.k8s.io/v1/ingressclasses"
        manifest = {"metadata": {"name": "contour"}, "spec": {"controller": "projectcontour.io/main"}}
        await made.kubernetes_request("POST", classes, manifest)
        for ingress_class, certificate, message in (
            ("simulated", "default", "default, for all"),
            (None, "edge/all", "only Contour can use"),
            ("contour", "edge/all", "edge/all, for all"),
            ("contour", "default", "Contour has no default certificate"),
        ):
            command.monkeypatch.delenv("STOREFLEET_INGRESS_CLASS", raising=False)
            if ingress_class is not None:
                command.monkeypatch.setenv("STOREFLEET_INGRESS_CLASS", ingress_class)
            command.monkeypatch.setenv("STOREFLEET_WILDCARD_CERTIFICATE", certificate)
            code, out = await run()
            assert (code, message in out) == (0 if "for all" in message else 1, True), out
        command.monkeypatch.delenv("STOREFLEET_WILDCARD_CERTIFICATE")
        await made.kubernetes_request("DELETE", f"{classes}/contour")

    async def ill(made: Harness) -> None:
        await made.set_faults({"fault": "denied", "kind": "namespaces", "verb": "delete"})
        command.monkeypatch.delenv("STOREFLEET_ENVIRONMENT")
        command.monkeypatch.setenv("STOREFLEET_INGRESS_CLASS", "nginx")
        command.monkeypatch.setenv("STOREFLEET_STORAGE_CLASS", "simulated")
        code, out = await run()
        assert code == 1
        assert "missing: delete namespaces" in out
        assert "Apply charts/storefleet/files/admission-policy.yaml" in out
        assert "nginx doesn't exist" in out
        assert "Set STOREFLEET_INGRESS_CLASS to one of: simulated" in out
        await made.kubernetes_request("DELETE", "/apis/storage.k8s.io/v1/storageclasses/simulated")
        command.monkeypatch.delenv("STOREFLEET_STORAGE_CLASS")
        command.monkeypatch.setenv("STOREFLEET_REDIS_URL", "redis://127.0.0.1:1/0")
        command.monkeypatch.setenv("STOREFLEET_DATABASE_URL", "postgresql://127.0.0.1:1/none")
        code, out = await run()
        assert "the cluster has no default" in out
        assert "Check STOREFLEET_REDIS_URL" in out
        assert "Check STOREFLEET_DATABASE_URL" in out
        command.monkeypatch.setenv("STOREFLEET_KUBECONFIG", str(tmp_path / "missing"))
        command.monkeypatch.setenv("STOREFLEET_DATABASE_URL", database_url)
        await made.sql("DROP TABLE alembic_version")
        code, out = await run()
        assert "no usable Kubernetes configuration" in out
        assert "Run `storefleet migrate`" in out

    asyncio.run(run_checks())


def test_migrate(command: Command) -> None:
    code, out, _ = command("migrate")
    assert (code, "up to date" in out, "no roles of their own" in out) == (0, True, True)
    owner = os.environ["STOREFLEET_DATABASE_URL"]
    for url, expected in ((role_urls(owner).worker, 0), (owner, 1)):
        command.monkeypatch.setenv("STOREFLEET_API_DATABASE_URL", role_urls(owner).api)
        command.monkeypatch.setenv("STOREFLEET_WORKER_DATABASE_URL", url)
        code, out, err = command("migrate")
        assert (code, "no roles of their own" in out, "three different users" in err) == (
            expected,
            False,
            expected == 1,
        )
    command.monkeypatch.delenv("STOREFLEET_API_DATABASE_URL")
    with pytest.raises(SystemExit):
        command("migrate")
    assert "STOREFLEET_WORKER_DATABASE_URL: set both" in command.capsys.readouterr().err
    command.monkeypatch.delenv("STOREFLEET_WORKER_DATABASE_URL")
    command.monkeypatch.setenv("STOREFLEET_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    code, _, err = command("migrate")
    assert (code, "can't be migrated" in err) == (1, True)
    assert len(err.splitlines()) == 1


async def _set_revision(url: str, revision: str) -> str:
    """Returns the revision before."""
    connection = await asyncpg.connect(url)
    try:
        before: str = await connection.fetchval("SELECT version_num FROM alembic_version")
        await connection.execute(f"UPDATE alembic_version SET version_num = '{revision}'")  # noqa: S608  # ours
        return before
    finally:
        await connection.close()


def test_migrate_waits_for_a_database_that_starts(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    url = os.environ["STOREFLEET_DATABASE_URL"]
    monkeypatch.setattr("cli.migrate.RETRY_SECONDS", 0.01)
    attempts = []

    def starts(url: str, _roles: object) -> None:
        attempts.append(url)
        if len(attempts) < 3:
            raise ConnectionRefusedError

    monkeypatch.setattr("cli.migrate.upgrade", starts)
    code, out, _ = command("migrate", "--wait", "60")
    assert (code, "up to date" in out, attempts) == (0, True, [url] * 3)


def test_migrate_leaves_a_newer_schema_as_it_is(command: Command) -> None:
    """After a rollback of the release."""
    url = os.environ["STOREFLEET_DATABASE_URL"]
    asyncio.run(_set_revision(url, "9999"))
    code, out, _ = command("migrate")
    assert (code, "up to date" in out) == (0, True)
    assert asyncio.run(_set_revision(url, "9999")) == "9999"


def test_a_process_with_bad_settings_lists_all_of_them_and_stops(command: Command) -> None:
    command.monkeypatch.setenv("STOREFLEET_REDIS_URL", "nonsense")
    command.monkeypatch.setenv("STOREFLEET_ADMIN_KEYS", "hunter2")
    with pytest.raises(SystemExit) as stopped:
        command("api")
    assert stopped.value.code == 2
    err = command.capsys.readouterr().err
    assert "STOREFLEET_REDIS_URL" in err
    assert "STOREFLEET_ADMIN_KEYS" in err
    assert "hunter2" not in err


def test_a_worker_without_a_cluster_says_so(command: Command, tmp_path: Path) -> None:
    command.monkeypatch.setenv("STOREFLEET_KUBECONFIG", str(tmp_path / "missing"))
    code, _, err = command("worker")
    assert (code, "STOREFLEET_KUBECONFIG" in err) == (1, True)


def test_a_worker_without_its_keys_says_so(command: Command) -> None:
    command.monkeypatch.delenv("STOREFLEET_WORKER_KEYS")
    code, _, err = command("worker")
    assert (code, "STOREFLEET_WORKER_KEYS" in err) == (2, True)
