"""The chart, installed on a real node by a real Helm. Everything is reached through the ingress controller."""

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.node.real_node import RealNode
from tests.support.chart import CHART
from tests.support.helm import Helm
from tests.support.kubernetes_server import Server

JSON = dict[str, Any]
NAME, NAMESPACE = "prod", "fleet"
IMAGES = ("pause", "mariadb", "sample", "platform", "postgres", "valkey")
WAIT = ("--wait", "--wait-for-jobs", "--timeout", "5m")
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Installation:
    """A Helm release."""

    node: RealNode
    helm: Helm
    server: Server

    @property
    def values(self) -> JSON:
        """In addition to values-local.yaml: images of Debian packages, and the address of this node."""
        port = self.node.ingress_port
        settings = {
            "publicUrl": f"http://storefleet.localhost:{port}",
            "storePort": port,
            "engines": ["workers.engines.sample"],
            "databaseImage": "mariadb:debian",
        }
        return {
            "settings": settings,
            "database": {"bundled": {"image": "docker.io/library/postgres:debian", "storage": {"size": "256Mi"}}},
            "redis": {"bundled": {"image": "docker.io/valkey/valkey:debian"}},
        }

    def apply(self, *words: str, wait: Sequence[str] = WAIT) -> str:
        """Install or upgrade the release. Raises HelmError."""
        files = ["--values", str(CHART / "values-local.yaml"), "--values", "-"]
        command = ["upgrade", "--install", NAME, str(CHART), "--namespace", NAMESPACE, *files, *words, *wait]
        return self.helm.run(*command, input_text=json.dumps(self.values))

    def uninstall(self) -> None:
        self.helm.run("uninstall", NAME, "--namespace", NAMESPACE, "--wait", "--timeout", "2m")

    def storefleet(self, *words: str, standard_input: str = "") -> str:
        """Run `storefleet …` in an API pod, as `kubectl exec` does. Returns the output."""
        query = "labelSelector=app.kubernetes.io/component%3Dapi&fieldSelector=status.phase%3DRunning"
        pods = self.server.call("GET", f"/api/v1/namespaces/{NAMESPACE}/pods?{query}")["items"]
        [container] = pods[0]["status"]["containerStatuses"]
        script = f"printf '%s\\n' '{standard_input}' | storefleet {' '.join(words)}"
        identifier = container["containerID"].removeprefix("containerd://")
        return self.node.ctr("tasks", "exec", "--exec-id", f"test-{abs(hash(words))}", identifier, "sh", "-c", script)

    def visit(self, url: str, method: str = "GET", body: JSON | None = None, **headers: str) -> tuple[int, str]:
        """A request through the ingress controller: status and text."""
        address = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", self.node.ingress_port, timeout=30)
        try:
            sent = {"Host": address.netloc, "Content-Type": "application/json", **headers}
            connection.request(method, address.path or "/", json.dumps(body) if body else None, sent)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    @property
    def url(self) -> str:
        return str(self.values["settings"]["publicUrl"])

    def graphql(self, token: str, query: str, **variables: Any) -> JSON:
        """`data` of the answer."""
        body = {"query": query, "variables": variables}
        status, text = self.visit(f"{self.url}/graphql", "POST", body, Authorization=f"Bearer {token}")
        answer = json.loads(text)
        assert status == 200, answer
        assert "errors" not in answer, answer
        data: JSON = answer["data"]
        return data
