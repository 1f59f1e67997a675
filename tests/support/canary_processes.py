"""An API process and a worker whose settings have marked secrets, and which log at the level debug."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from runtime.sealing import generate_key
from sandbox.ports import free_port
from tests.support.harness import Harness, process_environment
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider
from tests.support.processes import start_storefleet

SETTINGS = {
    "SMTP_URL": "smtp://fleet:{secret}@127.0.0.1:{smtp}?from=shop@example.com",
    "ADMIN_KEYS": "{key}",
    "WORKER_KEYS": "{key}",
    "DATABASE_URL": "postgresql://{role}:{secret}@/{database}",
    "OIDC_CLIENT_SECRET": CLIENT_SECRET,
}
"""Settings of API and worker that have a secret, by the end of the variable's name."""
WORKERS_ONLY = {"WORKER_KEYS"}


def marker(name: str) -> str:
    """A password that a person could choose, and that occurs nowhere by chance."""
    return f"canary-{name}-7f3q"


@asynccontextmanager
async def processes(
    harness: Harness, folder: Path, smtp: int, provider: FakeProvider
) -> AsyncIterator[tuple[str, dict[str, Path], dict[str, str]]]:
    """An API process and a worker that log at the level debug: the API's URL, the logs, and the secrets of settings."""
    port, secrets, logs = free_port(), dict[str, str](), dict[str, Path]()
    database = harness.settings.database_url.get_secret_value().partition("@/")[2]
    url = f"http://127.0.0.1:{port}"
    variables: dict[str, str] = {"LOG_LEVEL": "debug", "PORT": str(port), "WEBHOOK_PRIVATE_NETWORKS": "127.0.0.1"}
    variables |= {
        "PUBLIC_URL": url,
        "OIDC_ISSUER": provider.url,
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_DOMAINS": "corp.example",
    }
    for name, template in SETTINGS.items():
        key = generate_key(name[0].lower())
        made = key.partition(":")[2] if "{key}" in template else marker(name.lower())
        secrets[name] = made if "{" in template else template
        variables[name] = template.format(
            secret=secrets[name], key=key, smtp=smtp, database=database, role="storefleet_{role}"
        )
    for component in ("api", "worker"):
        own = {
            f"STOREFLEET_{name}": value.format(role=component) if "{role}" in value else value
            for name, value in variables.items()
        }
        environment = process_environment(harness.settings, **own)
        if component == "api":
            for name in WORKERS_ONLY:
                del environment[f"STOREFLEET_{name}"]
        logs[component] = folder / f"{component}.log"
        process = await start_storefleet(component, environment=environment, log=logs[component])
        harness.processes.append(process)
    yield url, logs, secrets
