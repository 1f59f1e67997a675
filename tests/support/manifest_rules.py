"""Rules that hold for every object of every engine, with changes that break them."""

import base64
import binascii

from stores.engines import Manifest
from tests.support.rule_builders import (
    KNOWN_KINDS,
    Rule,
    append,
    at_least,
    must_be,
    must_be_absent,
    must_be_present,
    one_pod_at_most,
    remove,
    replace,
)
from workers.engines.pods import parse_cpu, parse_memory

RESOURCES = {"cpu", "memory", "ephemeral-storage"}
SENSITIVE_KEYS = ("PASSWORD", "TOKEN", "SECRET", "SALT", "KEY")
COMPONENT = "app.kubernetes.io/component"
GRACE = "spec template spec terminationGracePeriodSeconds"
PSS = [f"pod-security.kubernetes.io/{mode}" for mode in ("enforce", "audit", "warn")]
EVERY_PORT = {"to": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": None}]}
POLICY = "spec template spec containers 0 terminationMessagePolicy"
LIFECYCLE = "spec template spec containers 0 lifecycle"
RELEASE = "metadata annotations storefleet.dev/release"
COUNTED = (
    *(f"{sort}.{name}" for sort in ("requests", "limits") for name in sorted(RESOURCES)),
    *("requests.storage", "persistentvolumeclaims", "pods", "services", "secrets", "configmaps"),
    *("count/jobs.batch", "count/cronjobs.batch", "count/deployments.apps", "count/statefulsets.apps"),
)


def _has_empty_list(item: object) -> bool:
    if isinstance(item, dict):
        return any(map(_has_empty_list, item.values()))
    return isinstance(item, list) and (not item or any(map(_has_empty_list, item)))


def _has_resources(container: Manifest) -> bool:
    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    if not RESOURCES == set(requests) == set(limits):
        return False
    return 0 < parse_cpu(requests["cpu"]) <= parse_cpu(limits["cpu"]) and all(
        0 < parse_memory(requests[name]) <= parse_memory(limits[name]) for name in ("memory", "ephemeral-storage")
    )


def _user_of_the_pod(container: Manifest) -> bool:
    return not {"runAsUser", "runAsGroup", "seccompProfile", "procMount"} & container["securityContext"].keys()


def _has_pinned_image(container: Manifest) -> bool:
    name, _, tag = container["image"].rpartition("/")[2].partition(":")
    return bool(name and tag and tag != "latest")


def _no_secret_in_plain(container: Manifest) -> bool:
    secret = [item for item in container["env"] if any(word in item["name"] for word in SENSITIVE_KEYS)]
    return all("secretKeyRef" in item.get("valueFrom", {}) for item in secret)


def _no_variable_in_arguments(container: Manifest) -> bool:
    """`$(NAME)` in an argument would show a variable's value in the list of processes."""
    return not any("$(" in word.replace("$(command -v", "") for word in container.get("command", ()))


def _allowed_volumes(pod: Manifest) -> bool:
    """Volumes are of allowed types, emptyDirs have a size limit, and each volume is mounted."""
    mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
    for volume in pod["volumes"]:
        kinds = volume.keys() - {"name"}
        if not kinds <= {"emptyDir", "persistentVolumeClaim", "configMap"}:
            return False
        if "emptyDir" in kinds and volume["emptyDir"].keys() != {"sizeLimit"}:
            return False
    return mounted == {volume["name"] for volume in pod["volumes"]}


def _fits_ephemeral_storage(pod: Manifest) -> bool:
    """emptyDirs and the 50 MiB of logs that a kubelet keeps per container are within the limits: no eviction."""
    limits = sum(parse_memory(item["resources"]["limits"]["ephemeral-storage"]) for item in pod["containers"])
    empty = sum(parse_memory(item["emptyDir"]["sizeLimit"]) for item in pod["volumes"] if "emptyDir" in item)
    return empty + 50 * len(pod["containers"]) <= limits


def _has_labels(item: Manifest) -> bool:
    found = item["metadata"]["labels"]
    names = [found.get(f"app.kubernetes.io/{name}") for name in ("managed-by", "part-of")]
    store = [found.get("storefleet.dev/store"), found.get("app.kubernetes.io/instance")]
    return names == ["storefleet", "storefleet"] and store[0] == store[1] and "storefleet.dev/account" in found


def _selects_its_pods(item: Manifest) -> bool:
    wanted = item["spec"]["selector"]["matchLabels"]
    return bool(wanted) and wanted.items() <= item["spec"]["template"]["metadata"]["labels"].items()


def _is_base64(secret: Manifest) -> bool:
    try:
        return all(base64.b64decode(value, validate=True) for value in secret["data"].values())
    except binascii.Error:
        return False


def _has_peers_and_ports(policy: Manifest) -> bool:
    """An empty `from` or `to` allows all peers; a rule without ports, or a port without number, allows all ports."""
    rules = [*policy["spec"].get("ingress", ()), *policy["spec"].get("egress", ())]
    return all(rule.get("ports") and (rule.get("from") or rule.get("to")) for rule in rules) and all(
        isinstance(row.get("port"), int) for rule in rules for row in rule["ports"]
    )


def _has_pre_stop(deployment: Manifest) -> bool:
    """preStop sleeps, and the grace period leaves at least 10 s after it."""
    pod = deployment["spec"]["template"]["spec"]
    stop = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ())
    return len(stop) == 2 and stop[0] == "sleep" and 2 <= int(stop[1]) <= pod["terminationGracePeriodSeconds"] - 10


def _has_probe(name: str) -> Rule:
    def asks(container: Manifest) -> bool:
        return bool({"exec", "httpGet"} & container.get(name, {}).keys())

    return Rule(f"a {name}", "server", asks, (remove(name), replace(name, {"tcpSocket": {"port": 80}})))


OBJECTS = [
    # the API server drops them, and every later apply would be a change
    Rule("no empty lists", "object", lambda item: not _has_empty_list(item), (replace("metadata finalizers", []),)),
    Rule(
        "a kind we know", "object", lambda item: item["kind"] in KNOWN_KINDS, (replace("kind", "ClusterRoleBinding"),)
    ),
    Rule(
        "labels by which it is found",
        "object",
        _has_labels,
        (
            remove("metadata labels storefleet.dev/store"),
            replace("metadata labels app.kubernetes.io/managed-by", "helm"),
        ),
    ),
    Rule(
        "no more of the release than where it may change",
        "Namespace",
        lambda item: item["metadata"]["annotations"].keys() == {"storefleet.dev/host"},
        (replace(RELEASE, "2026.11"),),
    ),
    must_be_absent("made once, so of no release", "RoleBinding", "metadata annotations", {}),
    must_be_present("the release it is of", "workload", RELEASE),
    Rule(
        "in its store's namespace",
        "namespaced object",
        lambda item: item["metadata"].get("namespace") == f"store-{item['metadata']['labels']['storefleet.dev/store']}",
        (remove("metadata namespace"), replace("metadata namespace", "default")),
    ),
    *(must_be(mode, "Namespace", f"metadata labels {mode}", "restricted", "baseline") for mode in PSS),
    *(must_be(f"{mode}-version", "Namespace", f"metadata labels {mode}-version", "v1.34", "latest") for mode in PSS),
    must_be("only our role", "RoleBinding", "roleRef name", "storefleet-store-manager", "cluster-admin"),
    Rule(
        "only our worker",
        "RoleBinding",
        lambda item: [subject["kind"] for subject in item["subjects"]] == ["ServiceAccount"],
        (append("subjects", {"kind": "Group", "name": "system:authenticated"}), replace("subjects 0 kind", "User")),
    ),
    must_be("no load balancer", "ResourceQuota", "spec hard services.loadbalancers", "0", "1"),
    must_be("no port of the nodes", "ResourceQuota", "spec hard services.nodeports", "0", "1"),
    *(must_be_present(f"a limit of {name}", "ResourceQuota", f"spec hard {name}") for name in COUNTED),
    *(
        must_be_present(f"{sort} {name} for who names none", "LimitRange", f"spec limits 0 {sort} {name}")
        for sort in ("default", "defaultRequest")
        for name in sorted(RESOURCES)
    ),
    must_be("no token", "ServiceAccount", "automountServiceAccountToken", False, True),
    must_be("an opaque Secret", "Secret", "type", "Opaque", "kubernetes.io/service-account-token"),
    Rule("encoded values", "Secret", _is_base64, (replace("data password", "a b"),)),
    must_be_absent("nothing that applying again would change", "Secret", "stringData", {}),
    must_be("a Service within the cluster", "Service", "spec type", "ClusterIP", "NodePort", "LoadBalancer"),
    must_be_absent("no addresses from outside", "Service", "spec externalIPs", ["192.0.2.1"]),
    must_be("a disk of one node", "PersistentVolumeClaim", "spec accessModes", ["ReadWriteOnce"], ["ReadWriteMany"]),
    Rule(
        "names whom it lets through",
        "NetworkPolicy",
        _has_peers_and_ports,
        (replace("spec egress", [{}]), replace("spec ingress", [{}]), replace("spec egress", [EVERY_PORT])),
    ),
]
WORKLOADS = [
    Rule(
        "selects its own pods",
        "Deployment",
        _selects_its_pods,
        (replace("spec selector matchLabels", {}), replace(f"spec selector matchLabels {COMPONENT}", "other")),
    ),
    *(one_pod_at_most(kind) for kind in ("Deployment", "StatefulSet")),
    must_be("there until the next is ready", "served Deployment", "spec strategy rollingUpdate maxUnavailable", 0, 1),
    must_be("never three at once", "served Deployment", "spec strategy rollingUpdate maxSurge", 1, 2),
    Rule("selects its own pods", "StatefulSet", _selects_its_pods, (replace("spec selector matchLabels", {}),)),
    must_be(
        "a bad pod doesn't block a good one", "StatefulSet", "spec podManagementPolicy", "Parallel", "OrderedReady"
    ),
    must_be_absent("a disk that can grow", "StatefulSet", "spec volumeClaimTemplates", []),
    at_least("time to write everything down", "StatefulSet", GRACE, 60),
    at_least("an end", "Job", "spec activeDeadlineSeconds", 1),
    at_least("an end to trying", "Job", "spec backoffLimit", 0),
    must_be_absent("kept until recorded", "Job", "spec ttlSecondsAfterFinished", 60),
    must_be("one attempt a pod", "Job", "spec template spec restartPolicy", "Never", "OnFailure"),
    must_be("never two at once", "CronJob", "spec concurrencyPolicy", "Forbid", "Allow"),
    at_least("an end", "CronJob", "spec jobTemplate spec activeDeadlineSeconds", 1),
    must_be("not tried again before it is due", "CronJob", "spec jobTemplate spec backoffLimit", 0, 6),
    Rule(
        "leaves the Service before it stops",
        "served Deployment",
        _has_pre_stop,
        (
            remove(LIFECYCLE),
            replace(LIFECYCLE, {}),
            replace(f"{LIFECYCLE} preStop exec command", ["true"]),
            replace(GRACE, 12),
        ),
    ),
    Rule(
        "a component and a store",
        "template",
        lambda item: {COMPONENT, "storefleet.dev/store"} <= item["metadata"]["labels"].keys(),
        (remove(f"metadata labels {COMPONENT}"), remove("metadata labels storefleet.dev/store")),
    ),
    Rule(
        "an account of its own",
        "template",
        lambda item: item["spec"].get("serviceAccountName") == item["metadata"]["labels"].get(COMPONENT),
        (
            replace("spec serviceAccountName", "default"),
            replace("spec serviceAccountName", "x"),
            remove("spec serviceAccountName"),
        ),
    ),
]
PODS = [
    must_be("no token", "pod", "automountServiceAccountToken", False, True),
    must_be("no service links", "pod", "enableServiceLinks", False, True),
    must_be("not root", "pod", "securityContext runAsNonRoot", True, False),
    must_be("seccomp", "pod", "securityContext seccompProfile", {"type": "RuntimeDefault"}, {"type": "Unconfined"}),
    must_be("volumes change owner once", "pod", "securityContext fsGroupChangePolicy", "OnRootMismatch", "Always"),
    *(at_least(f"a high {id}", "pod", f"securityContext {id}", 10000) for id in ("runAsUser", "runAsGroup", "fsGroup")),
    must_be_absent("no other group", "pod", "securityContext supplementalGroups", [0]),
    must_be_absent("no kernel setting", "pod", "securityContext sysctls", []),
    *(must_be_absent(f"no {field}", "pod", field, True) for field in ("hostNetwork", "hostPID", "hostIPC", "nodeName")),
    Rule(
        "volumes of its own group",
        "pod",
        lambda pod: pod["securityContext"].get("fsGroup") == pod["securityContext"].get("runAsGroup"),
        (replace("securityContext fsGroup", 10002), remove("securityContext fsGroup")),
    ),
    Rule(
        "volumes that end and are mounted",
        "pod",
        _allowed_volumes,
        (
            append("volumes", {"name": "more", "emptyDir": {"sizeLimit": "1Mi"}}),
            append("volumes", {"name": "tmp", "projected": {}}),
            replace("volumes 0", {"name": "tmp", "hostPath": {"path": "/"}}),
            replace("volumes 0", {"name": "tmp", "emptyDir": {}}),
            replace("volumes 0", {"name": "tmp", "emptyDir": {"sizeLimit": "1Mi", "medium": "Memory"}}),
        ),
    ),
    Rule(
        "scratch within the limits", "pod", _fits_ephemeral_storage, (replace("volumes 0 emptyDir sizeLimit", "9Gi"),)
    ),
    at_least("time to stop", "pod", "terminationGracePeriodSeconds", 10),
]
CONTAINERS = [
    Rule(
        "requests and limits",
        "container",
        _has_resources,
        (
            *(remove(f"resources {sort} {name}") for sort in ("requests", "limits") for name in sorted(RESOURCES)),
            replace("resources requests memory", "999Gi"),
            replace("resources requests cpu", "999"),
        ),
    ),
    must_be("no new privileges", "container", "securityContext allowPrivilegeEscalation", False, True),
    must_be("not privileged", "container", "securityContext privileged", False, True),
    must_be("read-only root file system", "container", "securityContext readOnlyRootFilesystem", True, False),
    must_be("not root", "container", "securityContext runAsNonRoot", True, False),
    must_be("no capabilities", "container", "securityContext capabilities", {"drop": ["ALL"]}, {"add": ["NET_RAW"]}),
    Rule("the pod's user", "container", _user_of_the_pod, (replace("securityContext runAsUser", 0),)),
    Rule(
        "a pinned image",
        "container",
        _has_pinned_image,
        (replace("image", "a"), replace("image", "r:5000/a"), replace("image", "a:latest")),
    ),
    Rule(
        "secrets only from Secrets",
        "container",
        _no_secret_in_plain,
        (append("env", {"name": "DATABASE_PASSWORD", "value": "hunter2"}),),
    ),
    Rule(
        "no variables in arguments",
        "container",
        _no_variable_in_arguments,
        (replace("command", ["php", "install.php", "--password=$(STORE_ADMIN_PASSWORD)"]),),
    ),
    *(must_be("a cause to show", kind, POLICY, "FallbackToLogsOnError", "File") for kind in ("Job", "StatefulSet")),
    must_be("no visitor's words as a cause", "Deployment", POLICY, "File", "FallbackToLogsOnError"),
    *(_has_probe(name) for name in ("startupProbe", "readinessProbe", "livenessProbe")),
    Rule(
        "no port of the node",
        "container",
        lambda item: not [port for port in item.get("ports", ()) if "hostPort" in port],
        (replace("ports 0 hostPort", 80),),
    ),
]
RULES = [*OBJECTS, *WORKLOADS, *PODS, *CONTAINERS]
