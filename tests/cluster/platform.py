"""The platform's account on a real API server, bound as the chart will bind it."""

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.flow.fleet import Person
from workers.cluster.client import connect
from workers.fence import missing_fence

FILES = Path(__file__).resolve().parents[2] / "charts" / "storefleet" / "files"
NAMESPACE, ACCOUNT = "storefleet", "storefleet-worker"
COLLECTIONS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "ValidatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
}
APPLY = {"Content-Type": "application/apply-patch+yaml"}


@dataclass(frozen=True)
class Platform:
    """Kubeconfigs of the administrator and of the platform's account."""

    admin: Path
    account: Path


def chart_files() -> list[dict[str, Any]]:
    """What the chart's files hold, with the default names."""
    return [item for file in sorted(FILES.iterdir()) for item in yaml.safe_load_all(file.read_text())]


def install(folder: Path) -> Platform:
    """Roles, fence and account, as the administrator; returns when the fence is in force."""
    admin = Path(os.environ["STOREFLEET_TEST_KUBECONFIG"])
    config = json.loads(admin.read_text())
    config["users"][0]["user"] = {"token": asyncio.run(_install(Person.of(admin)))}
    account = folder / "account"
    account.write_text(json.dumps(config))
    asyncio.run(_fenced(account))
    return Platform(admin, account)


async def _install(person: Person) -> str:
    """A token of the account."""
    async with aiohttp.ClientSession() as http:
        for item in (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": NAMESPACE}},
            *chart_files(),
        ):
            path = f"{COLLECTIONS[item['kind']]}/{item['metadata']['name']}?fieldManager=helm&force=true"
            status, answer = await person.send(http, "PATCH", path, item, **APPLY)
            assert status in (200, 201), answer
        token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
        status, answer = await person.send(http, "POST", f"{COLLECTIONS['ServiceAccount']}/{ACCOUNT}/token", token)
        assert status == 201, answer
    made: str = answer["status"]["token"]
    return made


async def _fenced(account: Path) -> None:
    async with connect(account) as cluster:
        deadline = time.monotonic() + 30
        while problem := await missing_fence(cluster):  # it bites a moment after it is there
            assert time.monotonic() < deadline, problem
            await asyncio.sleep(0.1)
