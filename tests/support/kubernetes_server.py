"""An API server, as its administrator, for tests that aren't asynchronous."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.kubernetes_user import KubernetesUser
from tests.support.waiting import eventually

JSON = dict[str, Any]


class Server:
    """Every call must succeed."""

    def __init__(self, kubeconfig: Path) -> None:
        self.user = KubernetesUser.from_kubeconfig(kubeconfig)

    def call(self, method: str, path: str, body: JSON | None = None) -> JSON:
        async def call() -> tuple[int, JSON]:
            async with aiohttp.ClientSession() as http:
                return await self.user.request(http, method, path, body)

        status, answer = asyncio.run(call())
        assert status < 300, answer
        return answer

    def create_namespace(self, name: str) -> None:
        security = {"pod-security.kubernetes.io/enforce": "restricted"}
        metadata = {"name": name, "labels": security}
        self.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def define(self, group: str, version: str, kind: str) -> None:
        """A custom resource without a schema."""
        plural = f"{kind.lower()}s"
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        versions = [{"name": version, "served": True, "storage": True, "schema": schema}]
        spec = {"group": group, "names": {"kind": kind, "plural": plural}, "scope": "Namespaced", "versions": versions}
        annotations = {"api-approved.kubernetes.io": "unapproved, for tests"}
        body = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}", "annotations": annotations},
            "spec": spec,
        }
        self.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
        assert eventually(lambda: self.is_established(f"{plural}.{group}"))

    def is_established(self, name: str) -> bool:
        found = self.call("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
        conditions = found.get("status", {}).get("conditions") or ()
        return any(row["type"] == "Established" and row["status"] == "True" for row in conditions)

    def names(self, path: str) -> set[str]:
        return {item["metadata"]["name"] for item in self.call("GET", path)["items"]}

    def secret(self, namespace: str, name: str) -> JSON:
        data: JSON = self.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")["data"]
        return data

    def pods(self, namespace: str) -> set[str]:
        """Names of the pods of Deployments."""
        items = self.call("GET", f"/api/v1/namespaces/{namespace}/pods?labelSelector=pod-template-hash")["items"]
        return {item["metadata"]["name"] for item in items if "deletionTimestamp" not in item["metadata"]}
