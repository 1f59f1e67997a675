"""Valkey, a Redis, for the processes of one shop: their queues, locks, cache and sessions. Image: `valkey_image`.

It has no disk of its own: what is in it survives the end of its container, but not of its pod.
"""

from collections.abc import Sequence

from runtime.settings import ClusterProfile
from stores.engines import Manifest, StoreSpec
from workers.engines import objects
from workers.engines.isolation import Component
from workers.engines.pods import TMP, Resources, container, env, pod, probe

NAME = "valkey"
"""The name of the component, its Service, and the Secret with the password."""
PORT = 6379
PASSWORD = (NAME, "password")
"""secretKeyRef (Secret, key) for containers that connect to it."""
MEMORY_SHARE = 0.6
"""Of the container's memory, for data: the rewriting of the file needs memory, too."""
FILE_MEBIBYTES = 512
"""For the file and its rewritten successor."""


def component(cpu: int, memory: int, clients: Sequence[str], pods: int) -> Component:
    """`cpu` in millicores, `memory` in MiB. `clients`: names of the components that connect to it."""
    resources = Resources(cpu, memory, ephemeral_storage=FILE_MEBIBYTES)
    return Component(NAME, resources, port=PORT, clients=clients, pods=pods)


def secret(spec: StoreSpec, engine: str, password: str) -> Manifest:
    return objects.secret(spec, engine, NAME, {"password": password})


def service(spec: StoreSpec, engine: str) -> Manifest:
    return objects.service(spec, engine, NAME, PORT)


def stateful_set(spec: StoreSpec, engine: str, profile: ClusterProfile, component: Component) -> Manifest:
    """A StatefulSet, because there are never two pods: each would have a part of the queues."""
    # never evict keys: a queue would lose events. The file: a container that is killed loses at most a second
    config = "\n".join(
        (
            "requirepass $PASSWORD",
            f"maxmemory {round(component.resources.memory * MEMORY_SHARE)}mb",
            "maxmemory-policy noeviction",
            'save ""',
            "appendonly yes",
            "appendfsync everysec",
            f"dir {TMP}",
        )
    )
    answers = {"exec": {"command": ["sh", "-c", 'REDISCLI_AUTH="$PASSWORD" valkey-cli ping | grep -q PONG']}}
    server = container(
        NAME,
        profile.valkey_image,
        component.resources,
        env=env({}, {"PASSWORD": PASSWORD}),
        mounts={},
        # by standard input: other processes see arguments. No pipe: the shell would stay, and keep the signal to end
        command=["sh", "-c", f"exec valkey-server - <<END\n{config}\nEND\n"],
        port=PORT,
        probes={
            "startupProbe": probe(answers, period=1, failures=60),
            "readinessProbe": probe(answers, period=5, failures=3),
            "livenessProbe": probe(answers, period=15, failures=4, seconds=5),
        },
    )
    return objects.stateful_set(spec, engine, NAME, pod(spec, engine, NAME, [server], termination_grace=60))
