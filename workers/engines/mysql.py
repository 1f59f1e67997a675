"""A store's own database: MySQL or MariaDB, whichever the setting names; both read the same variables and settings.

It holds one database and one user, called as the engine says, on a disk of its own.
"""

import secrets as random
from collections.abc import Mapping, Sequence

from runtime.settings import ClusterProfile
from stores.engines import EngineStep, Manifest, SecretField, StoreSpec
from stores.plans import Plan
from workers.engines import objects
from workers.engines.isolation import Part
from workers.engines.pods import Resources, container, cpu_of, env, memory_of, pod, probe

NAME = "database"
"""Of the part, its Service, its disk, and the Secret that has the user's password."""
PORT = 3306
DATA = "/var/lib/mysql"
ROOM = 16 * 2**20
"""Bytes; with less its disk counts as full: tables grow by a few MiB at a time."""
STEP = EngineStep(NAME, "Starting the database", "StatefulSet", NAME)
PASSWORD = (NAME, "password")
"""Where a container that connects gets the password from: Secret and key."""


def new_password() -> str:
    return random.token_urlsafe(24)


SECRETS = tuple(SecretField(name, new_password) for name in ("database-root-password", "database-password"))


def part(plan: Plan, callers: Sequence[str]) -> Part:
    """`callers`: the parts that connect to it."""
    resources = Resources(cpu_of(plan.database_cpu), memory_of(plan.database_memory), scratch=1024)
    return Part(NAME, resources, port=PORT, callers=callers, disk=plan.database_disk)


def secrets(spec: StoreSpec, engine: str, values: Mapping[str, str]) -> list[Manifest]:
    """Root's for the first start only, and the user's."""
    return [
        objects.secret(spec, engine, "database-root", {"password": values["database-root-password"]}),
        objects.secret(spec, engine, NAME, {"password": values["database-password"]}),
    ]


def config_map(spec: StoreSpec, engine: str) -> Manifest:
    return objects.config_map(spec, engine, NAME, _files(spec.plan))


def claim(spec: StoreSpec, engine: str, profile: ClusterProfile) -> Manifest:
    return objects.claim(spec, engine, profile, NAME, spec.plan.database_disk)


def service(spec: StoreSpec, engine: str) -> Manifest:
    """Reaches it ready or not: there is no other, and one whose disk is full can still be read."""
    return objects.service(spec, engine, NAME, PORT, unready=True)


def stateful_set(spec: StoreSpec, engine: str, profile: ClusterProfile, part: Part, user: str) -> Manifest:
    """`user`: what the database and its user are called."""
    return objects.stateful_set(spec, engine, NAME, _pod(spec, engine, profile, part, user))


def _files(plan: Plan) -> dict[str, str]:
    """Read by MySQL and MariaDB alike.

    A flush at every commit: an acknowledged order is on the disk. No binary log: nothing reads it, and it would
    fill the disk. MySQL's folder for LOAD DATA belongs to a user that we are not, so it gets another.
    """
    schema = "ON" if memory_of(plan.database_memory) >= 2048 else "OFF"
    config = (
        "[mysqld]\n"
        "character-set-server = utf8mb4\n"
        "collation-server = utf8mb4_unicode_520_ci\n"
        "skip-name-resolve\n"
        f"innodb-buffer-pool-size = {plan.database_buffer_pool}\n"
        "innodb-flush-log-at-trx-commit = 1\n"
        f"performance-schema = {schema}\n"
        "max-connections = 60\n"
        "skip-log-bin\n"
        "secure-file-priv = /tmp\n"
        "loose-mysqlx = OFF\n"
    )
    return {"storefleet.cnf": config}


def _pod(spec: StoreSpec, engine: str, profile: ClusterProfile, part: Part, user: str) -> Manifest:
    database = container(
        NAME,
        profile.database_image,
        part.resources,
        env=env(
            {"MYSQL_DATABASE": user, "MYSQL_USER": user, "MYSQL_ROOT_HOST": "localhost"},
            {"MYSQL_PASSWORD": PASSWORD, "MYSQL_ROOT_PASSWORD": ("database-root", "password")},
        ),
        mounts={DATA: "data/mysql", "/etc/mysql/conf.d": "config", "/var/run/mysqld": "run"},
        port=PORT,
        probes=_probes(user),
    )
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": NAME}},
        {"name": "config", "configMap": {"name": NAME}},
        {"name": "run", "emptyDir": {"sizeLimit": "8Mi"}},
    ]
    return pod(spec, engine, NAME, [database], volumes=volumes, grace=60, files=_files(spec.plan))


def _probes(user: str) -> dict[str, Manifest]:
    """Ready is what answers and can still save; one whose disk is full isn't killed for it.

    Over TCP: a socket answers while the image still initialises. The tool's name differs between the two images.
    """
    ping = f'"$(command -v mariadb-admin || command -v mysqladmin)" --host=127.0.0.1 --user={user} --silent ping'
    # where a file system doesn't tell its size there is room
    room = (
        f'set -- $(stat -f -c "%b %a %S" {DATA}); '
        f'[ "${{1:-0}}" -eq 0 ] || [ $(($2 * $3)) -ge {ROOM} ] || {{ echo "the disk is full"; exit 1; }}'
    )
    return {
        "startupProbe": probe(_shell(f"{ping} || {{ {room}; exit 1; }}"), period=1, failures=120),
        "readinessProbe": probe(_shell(f"{room}; exec {ping}"), period=5, failures=3),
        "livenessProbe": probe(_shell(f"exec {ping}"), period=15, failures=4, seconds=5),
    }


def _shell(script: str) -> Manifest:
    return {"exec": {"command": ["sh", "-c", f'export MYSQL_PWD="$MYSQL_PASSWORD"; {script}']}}
