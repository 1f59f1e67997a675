"""What must hold for the objects of the chart, whatever the values are."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

JSON = dict[str, Any]
LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component")
COMPONENT = LABELS[2]
HARDENED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
}
"""The security context of every container, which is nothing else."""
POD_SECURITY = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
FOREIGN_SECURITY = {"runAsUser": 999, "runAsGroup": 999}
"""Of images that aren't the platform's."""
POD_FIELDS = {
    *(
        "affinity",
        "automountServiceAccountToken",
        "containers",
        "enableServiceLinks",
        "imagePullSecrets",
        "initContainers",
        "nodeSelector",
    ),
    *("priorityClassName", "restartPolicy", "securityContext", "serviceAccountName", "terminationGracePeriodSeconds"),
    *("tolerations", "topologySpreadConstraints", "volumes"),
}
CONTAINER_FIELDS = {
    *("args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name", "ports"),
    *("readinessProbe", "resources", "securityContext", "startupProbe", "terminationMessagePolicy", "volumeMounts"),
}
VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
SECRETS = re.compile(r"PASSWORD|_SECRET$|_KEYS$|_URL$")
PUBLIC = "STOREFLEET_PUBLIC_URL"


def problems(objects: Sequence[JSON], connections: set[str]) -> Iterator[str]:
    """One line for each rule that an object breaks. `connections`: what network policies allow, no more and no less."""
    for item in objects:
        name = f"{item['kind']} {item['metadata']['name']}"
        found = CHECKS.get(item["kind"], _nothing)(item)
        yield from (f"{name}: {problem}" for problem in found)
    policies = [item for item in objects if item["kind"] == "NetworkPolicy"]
    allowed = {line for policy in policies for line in allowed_connections(policy)}
    yield from (f"network policies allow {line}" for line in sorted(allowed - connections))
    yield from (f"network policies don't allow {line}" for line in sorted(connections - allowed))
    isolated = {policy["spec"]["podSelector"].get("matchLabels", {}).get(COMPONENT) for policy in policies}
    for template in filter(None, map(_template, objects)):
        if (component := template["metadata"]["labels"].get(COMPONENT)) not in isolated:
            yield f"no network policy selects {component}"


def _template(item: JSON) -> JSON | None:
    spec = item.get("spec", {})
    found: JSON | None = spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get("template")
    return found


def _nothing(_item: JSON) -> Iterator[str]:
    yield from ()


def _workload(item: JSON) -> Iterator[str]:
    template = _template(item)
    assert template is not None
    pod, component = template["spec"], template["metadata"]["labels"].get(COMPONENT)
    if pod.keys() - POD_FIELDS:
        yield f"unexpected fields {pod.keys() - POD_FIELDS}"
    if pod.get("automountServiceAccountToken") is not (component == "worker"):
        yield "only workers have a token"
    if pod.get("enableServiceLinks") is not False:
        yield "has links of services"
    is_foreign = component in ("postgres", "valkey", "backup")
    if component not in ("postgres", "valkey") and pod.get("serviceAccountName", "").rpartition("-")[2] != (
        "worker" if component == "worker" else "api"
    ):
        yield "has another account"
    context = pod.get("securityContext", {})
    groups = {"fsGroup": 999, "fsGroupChangePolicy": "OnRootMismatch"} if component in ("postgres", "backup") else {}
    if context != {**POD_SECURITY, **(FOREIGN_SECURITY if is_foreign else {}), **groups}:
        yield f"has the security context {context}"
    for volume in pod.get("volumes", ()):
        if (
            not {"configMap", "emptyDir", "persistentVolumeClaim", "secret"} & volume.keys()
            or volume.get("emptyDir") == {}
        ):
            yield f"has the volume {volume}"
    for container in [*pod.get("initContainers", ()), *pod["containers"]]:
        yield from _container(container)


def _container(container: JSON) -> Iterator[str]:
    if container.keys() - CONTAINER_FIELDS:
        yield f"unexpected fields {container.keys() - CONTAINER_FIELDS}"
    if container.get("securityContext") != HARDENED:
        yield f"has the security context {container.get('securityContext')}"
    resources = container.get("resources", {})
    for section, names in (
        ("requests", {"cpu", "memory", "ephemeral-storage"}),
        ("limits", {"memory", "ephemeral-storage"}),
    ):
        if not names <= resources.get(section, {}).keys():
            yield f"has no {section} of {names}"
    image = container.get("image", "")
    if not re.search(r":[\w.-]+$|@sha256:[0-9a-f]{64}$", image) or image.endswith(":latest"):
        yield f"has the image {image}"
    for variable in container.get("env", ()):
        if SECRETS.search(variable["name"]) and "secretKeyRef" not in variable.get("valueFrom", {}):
            yield f"has {variable['name']} in plain text"
    for port in container.get("ports", ()):
        if port.keys() != {"name", "containerPort"}:
            yield f"has the port {port}"


def _settings(item: JSON) -> Iterator[str]:
    for name in item.get("data", ()):
        if SECRETS.search(name) and name != PUBLIC:
            yield f"has {name} in plain text"


def _service_account(item: JSON) -> Iterator[str]:
    if item.get("automountServiceAccountToken") is not False:
        yield "gives a token to every pod"


def allowed_connections(policy: JSON) -> Iterator[str]:
    """`api ← peer port`: what a policy allows, as text; `worker →` for outgoing connections."""
    spec = policy["spec"]
    component = spec["podSelector"].get("matchLabels", {}).get(COMPONENT, "every pod")
    for direction, arrow, side in (("Ingress", "←", "from"), ("Egress", "→", "to")):
        if direction not in spec.get("policyTypes", ()):
            yield f"{component} {arrow} anything"
        for rule in spec.get(direction.lower()) or ():
            for peer in rule.get(side) or [{}]:
                for port in rule.get("ports") or [{}]:
                    protocol = port.get("protocol", "TCP")
                    yield f"{component} {arrow} {_peer(peer)} {port.get('port', 'any port')}/{protocol}"


def _peer(peer: JSON) -> str:
    labels = peer.get("podSelector", {}).get("matchLabels", {})
    if peer.keys() == {"podSelector"} and labels.keys() == set(LABELS):
        return str(labels[COMPONENT])
    labels = peer.get("namespaceSelector", {}).get("matchLabels", {})
    if peer.keys() == {"namespaceSelector"} and labels.keys() == {"kubernetes.io/metadata.name"}:
        return f"namespace {labels['kubernetes.io/metadata.name']}"
    if peer.keys() == {"ipBlock"}:
        block = peer["ipBlock"]
        excepted = f" except {', '.join(block['except'])}" if "except" in block else ""
        return f"{block.get('cidr', 'anyone')}{excepted}"
    return f"anyone {peer or ''}".strip()


CHECKS = {
    **dict.fromkeys(("CronJob", "Deployment", "Job", "StatefulSet"), _workload),
    "ConfigMap": _settings,
    "ServiceAccount": _service_account,
}
