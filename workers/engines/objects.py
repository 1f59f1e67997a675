"""Kubernetes objects that every engine is made of."""

import base64
from collections.abc import Mapping

from runtime.settings import ClusterProfile
from stores.engines import Manifest, StoreSpec
from workers.engines.isolation import host_of
from workers.engines.labels import metadata, selector

CERTIFICATE = "web-tls"
"""The Secret that cert-manager makes in a store's namespace."""
HOPELESS = 78
"""Exit code of a program that would fail again however often it is run (EX_CONFIG of sysexits.h)."""


def secret(spec: StoreSpec, engine: str, name: str, values: Mapping[str, str]) -> Manifest:
    """Encoded here, so that applying it again changes nothing (`stringData` would always)."""
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
    """A disk that stands alone: a StatefulSet's own templates could never be made larger."""
    storage_class = {"storageClassName": profile.storage_class} if profile.storage_class else {}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(spec, engine, name),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **storage_class},
    }


def service(spec: StoreSpec, engine: str, name: str, port: int, *, unready: bool = False) -> Manifest:
    """Reaches the component of the same name at its port `main`; only pods that are ready, unless `unready`."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(spec, engine, name, name),
        "spec": {
            "type": "ClusterIP",
            **({"publishNotReadyAddresses": True} if unready else {}),
            "selector": selector(name),
            "ports": [{"name": "main", "port": port, "targetPort": "main", "protocol": "TCP"}],
        },
    }


def deployment(spec: StoreSpec, engine: str, name: str, pod: Manifest) -> Manifest:
    """One pod, and for a moment two: the old one serves until the new one is ready. A disk keeps them on one node."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(spec, engine, name, name),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": selector(name)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": pod,
        },
    }


def stateful_set(spec: StoreSpec, engine: str, name: str, pod: Manifest) -> Manifest:
    """One pod, of which there are never two. Parallel: else a pod that never gets ready blocks the one that would."""
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


def job(spec: StoreSpec, engine: str, name: str, pod: Manifest, *, seconds: int, retries: int) -> Manifest:
    """Named without hash and attempt, which the worker adds. No TTL: the worker removes it once recorded.

    The pauses between retries grow to minutes: a program that knows better ends with HOPELESS, and with it the Job.
    """
    hopeless = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [HOPELESS]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(spec, engine, name, name),
        "spec": {
            "activeDeadlineSeconds": seconds,
            "backoffLimit": retries,
            "podFailurePolicy": {"rules": [hopeless]},
            "template": pod,
        },
    }


def cron_job(spec: StoreSpec, engine: str, name: str, pod: Manifest, *, minutes: int) -> Manifest:
    """Every so many minutes, of which each store has its own first one: not all wake the cluster at once."""
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
    """The store's address: an Ingress, or an HTTPRoute of the Gateway API, as the cluster's profile says."""
    host = host_of(spec, profile)
    if profile.routing == "gateway":
        owner, _, name = profile.gateway.partition("/")
        listener = {"sectionName": profile.gateway_listener} if profile.gateway_listener else {}
        return {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": metadata(spec, engine, "web", "web"),
            "spec": {
                "hostnames": [host],
                "parentRefs": [{"name": name, "namespace": owner, **listener}],
                "rules": [{"backendRefs": [{"name": service, "port": port}]}],
            },
        }
    backend = {"service": {"name": service, "port": {"number": port}}}
    ingress_class = {"ingressClassName": profile.ingress_class} if profile.ingress_class else {}
    described = metadata(spec, engine, "web", "web")
    annotations, certificate = _tls(profile)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {**described, "annotations": {**described["annotations"], **annotations}},
        "spec": {
            **ingress_class,
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
            **({"tls": [{"hosts": [host], **certificate}]} if certificate is not None else {}),
        },
    }


def _tls(profile: ClusterProfile) -> tuple[dict[str, str], dict[str, str] | None]:
    """Annotations of an Ingress, and the Secret with its certificate: {}, the controller's own; None, no TLS here.

    Most controllers send whoever comes by HTTP to HTTPS by themselves where there is TLS; Contour wants to be told.
    """
    redirect = {"ingress.kubernetes.io/force-ssl-redirect": "true"}
    if profile.cluster_issuer is not None:
        return {**redirect, "cert-manager.io/cluster-issuer": profile.cluster_issuer}, {"secretName": CERTIFICATE}
    if profile.wildcard_certificate is None:
        return {}, None
    if profile.wildcard_certificate == "default":
        return redirect, {}
    owner, _, name = profile.wildcard_certificate.partition("/")
    return {**redirect, "projectcontour.io/tls-cert-namespace": owner}, {"secretName": name}
