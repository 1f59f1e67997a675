"""Builders of the Kubernetes objects that engines share."""

import base64
from collections.abc import Mapping

from runtime.settings import ClusterProfile
from stores.engines import Manifest, StoreSpec
from stores.names import store_host
from workers.engines.labels import metadata, selector

CERTIFICATE = "web-tls"
"""The Secret that cert-manager creates in a store's namespace."""
QUEUE = {
    "projectcontour.io/response-timeout": "60s",
    "projectcontour.io/retry-on": "connect-failure",
    "projectcontour.io/num-retries": "3",
}
"""Contour waits 15 s by default, and a busy shop answers later; ingress-nginx waits 60 s. A request whose connection
was refused has not been sent, so it can be repeated, whatever its method."""
MAX_BODY = "64m"
"""The largest request, in nginx' notation: ingress-nginx allows 1 MiB by default, and a product has pictures."""
EXIT_NON_RETRYABLE = 78
"""Exit code of a program for which a retry can't help (EX_CONFIG of sysexits.h)."""


def secret(spec: StoreSpec, engine: str, name: str, values: Mapping[str, str]) -> Manifest:
    """Values are base64-encoded in `data`: with `stringData` every apply would be a change."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(spec, engine, name),
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def config_map(spec: StoreSpec, engine: str, name: str, files: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(spec, engine, name),
        "data": dict(files),
    }


def claim(spec: StoreSpec, engine: str, profile: ClusterProfile, name: str, size: str) -> Manifest:
    """A separate PersistentVolumeClaim: a StatefulSet's volumeClaimTemplates can't be resized."""
    storage_class = {"storageClassName": profile.storage_class} if profile.storage_class else {}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(spec, engine, name),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **storage_class},
    }


def service(spec: StoreSpec, engine: str, name: str, port: int, *, publish_not_ready: bool = False) -> Manifest:
    """A ClusterIP Service for the port `main` of the component of the same name."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(spec, engine, name, name),
        "spec": {
            "type": "ClusterIP",
            **({"publishNotReadyAddresses": True} if publish_not_ready else {}),
            "selector": selector(name),
            "ports": [{"name": "main", "port": port, "targetPort": "main", "protocol": "TCP"}],
        },
    }


def deployment(spec: StoreSpec, engine: str, name: str, pod: Manifest, *, surge: bool = True) -> Manifest:
    """One replica; an update starts the new pod first (maxSurge 1), which a shared volume keeps on the same node.

    `surge` False: the old pod ends first, for what no visitor waits for. The quota has room for one.
    """
    if surge:
        strategy: Manifest = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    else:
        strategy = {"type": "Recreate"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(spec, engine, name, name),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": selector(name)},
            "strategy": strategy,
            "template": pod,
        },
    }


def stateful_set(spec: StoreSpec, engine: str, name: str, pod: Manifest) -> Manifest:
    """One replica, never two pods. Parallel: with OrderedReady a pod that never gets ready would block its update."""
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata(spec, engine, name, name),
        "spec": {
            "podManagementPolicy": "Parallel",
            "replicas": 1,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": selector(name)},
            "serviceName": name,
            "template": pod,
        },
    }


def without_pods(manifest: Manifest) -> Manifest:
    """The workload scaled to zero, or the CronJob suspended; another object as it is."""
    if manifest["kind"] in ("Deployment", "StatefulSet"):
        return {**manifest, "spec": {**manifest["spec"], "replicas": 0}}
    if manifest["kind"] == "CronJob":
        return {**manifest, "spec": {**manifest["spec"], "suspend": True}}
    return manifest


def job(spec: StoreSpec, engine: str, name: str, pod: Manifest, *, seconds: int, retries: int) -> Manifest:
    """A Job; `seconds`: activeDeadlineSeconds, `retries`: backoffLimit.

    The worker appends hash and attempt to its name, and deletes it after its result is stored: so it has no TTL.
    Kubernetes' pauses between retries grow to minutes. EXIT_NON_RETRYABLE fails the Job at once.
    """
    non_retryable = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [EXIT_NON_RETRYABLE]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(spec, engine, name, name),
        "spec": {
            "activeDeadlineSeconds": seconds,
            "backoffLimit": retries,
            "podFailurePolicy": {"rules": [non_retryable]},
            "template": pod,
        },
    }


def rotation(spec: StoreSpec, engine: str, password: str | None, pod: Manifest) -> tuple[Manifest, Manifest] | None:
    """A Secret with the next password and the Job that sets it, or None without a next password."""
    if password is None:
        return None
    return secret(spec, engine, "rotate", {"password": password}), job(
        spec, engine, "rotate", pod, seconds=120, retries=3
    )


def cron_job(spec: StoreSpec, engine: str, name: str, pod: Manifest, *, minutes: int) -> Manifest:
    """Runs every `minutes` minutes. The first minute depends on the store's id, which spreads the load."""
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata(spec, engine, name, name),
        "spec": {
            "schedule": f"{spec.store_id.int % minutes}-59/{minutes} * * * *",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 120,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {
                "metadata": {"labels": metadata(spec, engine, name, name)["labels"]},
                "spec": {
                    "activeDeadlineSeconds": 300,
                    "backoffLimit": 0,
                    "template": pod,
                },
            },
        },
    }


def route(spec: StoreSpec, engine: str, profile: ClusterProfile, service: str, port: int) -> Manifest:
    """The route to the store: an Ingress, or an HTTPRoute of the Gateway API, as the cluster's profile says."""
    host = store_host(spec.slug, profile)
    if profile.routing == "gateway":
        gateway_namespace, _, name = profile.gateway.partition("/")
        listener = {"sectionName": profile.gateway_listener} if profile.gateway_listener else {}
        return {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": metadata(spec, engine, "web", "web"),
            "spec": {
                "hostnames": [host],
                "parentRefs": [{"name": name, "namespace": gateway_namespace, **listener}],
                "rules": [{"backendRefs": [{"name": service, "port": port}]}],
            },
        }
    backend = {"service": {"name": service, "port": {"number": port}}}
    ingress_class = {"ingressClassName": profile.ingress_class} if profile.ingress_class else {}
    meta = metadata(spec, engine, "web", "web")
    annotations, certificate = _tls(profile)
    annotations |= {"nginx.ingress.kubernetes.io/proxy-body-size": MAX_BODY, **QUEUE}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {**meta, "annotations": {**meta["annotations"], **annotations}},
        "spec": {
            **ingress_class,
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
            **({"tls": [{"hosts": [host], **certificate}]} if certificate is not None else {}),
        },
    }


def _tls(profile: ClusterProfile) -> tuple[dict[str, str], dict[str, str] | None]:
    """Annotations of an Ingress, and the `secretName` of its certificate.

    {}: the controller's default certificate. None: no TLS at the Ingress. Most controllers redirect HTTP to HTTPS by
    default where there is TLS; Contour needs the annotation.
    """
    redirect = {"ingress.kubernetes.io/force-ssl-redirect": "true"}
    if profile.cluster_issuer is not None:
        return {**redirect, "cert-manager.io/cluster-issuer": profile.cluster_issuer}, {"secretName": CERTIFICATE}
    if profile.wildcard_certificate is None:
        return {}, None
    if profile.wildcard_certificate == "default":
        return redirect, {}
    secret_namespace, _, name = profile.wildcard_certificate.partition("/")
    return {**redirect, "projectcontour.io/tls-cert-namespace": secret_namespace}, {"secretName": name}
