"""Installs the workers' service account on a real API server, with the roles and bindings of the chart."""

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.support.cluster_objects import POLICY_NAME
from tests.support.kubernetes_user import KubernetesUser
from workers.admission_policy import find_policy_problem
from workers.cluster.client import connect

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
    """Kubeconfigs of the administrator and of the workers' service account."""

    admin: Path
    account: Path


def chart_files() -> list[dict[str, Any]]:
    """The objects in the chart's files, with the default names."""
    return [item for file in sorted(FILES.iterdir()) for item in yaml.safe_load_all(file.read_text())]


def install(folder: Path) -> Platform:
    """Install roles, admission policy and service account as the administrator; wait until the policy is in force."""
    admin = Path(os.environ["STOREFLEET_TEST_KUBECONFIG"])
    config = json.loads(admin.read_text())
    config["users"][0]["user"] = {"token": asyncio.run(_install(KubernetesUser.from_kubeconfig(admin)))}
    account = folder / "account"
    account.write_text(json.dumps(config))
    asyncio.run(_wait_for_admission_policy(account))
    return Platform(admin, account)


async def _install(admin: KubernetesUser) -> str:
    """Create the objects. Returns a token of the service account."""
    async with aiohttp.ClientSession() as http:
        for item in (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": NAMESPACE}},
            *chart_files(),
        ):
            path = f"{COLLECTIONS[item['kind']]}/{item['metadata']['name']}?fieldManager=helm&force=true"
            status, answer = await admin.request(http, "PATCH", path, item, **APPLY)
            assert status in (200, 201), answer
        token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
        status, answer = await admin.request(http, "POST", f"{COLLECTIONS['ServiceAccount']}/{ACCOUNT}/token", token)
        assert status == 201, answer
    token_value: str = answer["status"]["token"]
    return token_value


async def _wait_for_admission_policy(account: Path) -> None:
    async with connect(account) as cluster:
        deadline = time.monotonic() + 30
        while problem := await find_policy_problem(cluster, POLICY_NAME):  # it takes effect a moment after its creation
            assert time.monotonic() < deadline, problem
            await asyncio.sleep(0.1)
