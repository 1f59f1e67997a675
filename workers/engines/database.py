"""What the database of a store is for every engine: one server with one database and one user of the same name."""

import secrets as random
from collections.abc import Sequence

from runtime.settings import ClusterProfile
from stores.engines import EngineStep, Manifest, StoreSpec
from stores.plans import Plan
from workers.engines import objects
from workers.engines.isolation import Component
from workers.engines.pods import Resources, parse_cpu, parse_memory

NAME = "database"
"""The name of the component, its Service, its PersistentVolumeClaim, and the Secret with the user's password."""
STEP = EngineStep(NAME, "Starting the database", "StatefulSet", NAME)
PASSWORD = (NAME, "password")
"""secretKeyRef (Secret, key) for containers that connect to the database."""


def generate_password() -> str:
    return random.token_urlsafe(24)


def component(plan: Plan, port: int, clients: Sequence[str]) -> Component:
    """`clients`: names of the components that connect to it."""
    resources = Resources(parse_cpu(plan.database_cpu), parse_memory(plan.database_memory), ephemeral_storage=1024)
    return Component(NAME, resources, port=port, clients=clients, disk=plan.database_disk)


def secret(spec: StoreSpec, engine: str, password: str) -> Manifest:
    """The Secret with the user's password."""
    return objects.secret(spec, engine, NAME, {"password": password})


def claim(spec: StoreSpec, engine: str, profile: ClusterProfile) -> Manifest:
    return objects.claim(spec, engine, profile, NAME, spec.plan.database_disk)


def service(spec: StoreSpec, engine: str, port: int) -> Manifest:
    """publishNotReadyAddresses: there is one pod, and with a full volume it can still be read."""
    return objects.service(spec, engine, NAME, port, publish_not_ready=True)


def check_free_space(directory: str, least: int) -> str:
    """A shell command that fails if the volume of that directory has less than `least` free bytes.

    A file system that doesn't report its size (0 blocks) counts as having free space.
    """
    return (
        f'set -- $(stat -f -c "%b %a %S" {directory}); '
        f'[ "${{1:-0}}" -eq 0 ] || [ $(($2 * $3)) -ge {least} ] || {{ echo "the disk is full"; exit 1; }}'
    )
