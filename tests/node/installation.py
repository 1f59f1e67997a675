"""The chart, installed on a real node by a real Helm. Everything is reached through the ingress controller."""

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox import helm
from sandbox.helm import WAIT, node_values, public_url
from tests.node.real_node import RealNode
from tests.support.helm import Helm
from tests.support.kubernetes_server import Server

JSON = dict[str, Any]
NAME, NAMESPACE = "prod", "fleet"
IMAGES = (*helm.IMAGES, "mariadb", "sample", "medusa")
ENGINES = ("workers.engines.sample", "workers.engines.medusa")
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Installation:
    """A Helm release."""

    node: RealNode
    helm: Helm
    server: Server

    @property
    def values(self) -> JSON:
        return node_values(self.node.ingress_port, ENGINES)

    def apply(self, *words: str, wait: Sequence[str] = WAIT) -> str:
        """Install or upgrade the release. Raises HelmError."""
        return self.helm.apply(NAME, NAMESPACE, self.values, *words, wait=wait)

    def uninstall(self) -> None:
        self.helm.run("uninstall", NAME, "--namespace", NAMESPACE, "--wait", "--timeout", "2m")

    def storefleet(self, *words: str, standard_input: str = "") -> str:
        """Run `storefleet …` in a ready API pod, as `kubectl exec` does. Returns the output."""
        query = "labelSelector=app.kubernetes.io/component%3Dapi"
        pods = self.server.call("GET", f"/api/v1/namespaces/{NAMESPACE}/pods?{query}")["items"]
        [container] = next(pod for pod in pods if _is_ready(pod))["status"]["containerStatuses"]
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
        return public_url(self.node.ingress_port)

    def graphql(self, token: str, query: str, **variables: Any) -> JSON:
        """`data` of the answer."""
        body = {"query": query, "variables": variables}
        status, text = self.visit(f"{self.url}/graphql", "POST", body, Authorization=f"Bearer {token}")
        answer = json.loads(text)
        assert status == 200, answer
        assert "errors" not in answer, answer
        data: JSON = answer["data"]
        return data


def _is_ready(pod: JSON) -> bool:
    """Not a pod that is being deleted: its processes end at any moment."""
    conditions = {condition["type"]: condition["status"] for condition in pod["status"].get("conditions", [])}
    return "deletionTimestamp" not in pod["metadata"] and conditions.get("Ready") == "True"
