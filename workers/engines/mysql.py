"""MySQL or MariaDB for a store, as the setting `database_image` says. Both read the same variables."""

from collections.abc import Mapping

from runtime.settings import ClusterProfile
from stores.engines import Manifest, SecretField, StoreSpec
from stores.plans import Plan
from workers.engines import database, objects
from workers.engines.database import NAME, PASSWORD, check_free_space, generate_password
from workers.engines.isolation import Component
from workers.engines.pods import container, env, parse_memory, pod, probe

PORT = 3306
DATA_DIRECTORY = "/var/lib/mysql"
MIN_FREE_BYTES = 16 * 2**20
"""With less free space on its volume the server isn't ready: tables grow by a few MiB at a time."""
SECRETS = tuple(SecretField(name, generate_password) for name in ("database-root-password", "database-password"))


def secrets(spec: StoreSpec, engine: str, values: Mapping[str, str]) -> list[Manifest]:
    """A Secret with root's password, which only the first start reads, and one with the user's."""
    return [
        objects.secret(spec, engine, "database-root", {"password": values["database-root-password"]}),
        database.secret(spec, engine, values["database-password"]),
    ]


def config_map(spec: StoreSpec, engine: str) -> Manifest:
    return objects.config_map(spec, engine, NAME, _files(spec.plan))


def stateful_set(spec: StoreSpec, engine: str, profile: ClusterProfile, component: Component, user: str) -> Manifest:
    """`user`: the name of the database and of its user."""
    return objects.stateful_set(spec, engine, NAME, _pod(spec, engine, profile, component, user))


def _files(plan: Plan) -> dict[str, str]:
    """The server's configuration, for MySQL and MariaDB.

    A flush at every commit: an acknowledged order is on the disk. No binary log: there is no replica, and it would
    fill the disk. secure-file-priv: MySQL's default folder belongs to another user.
    """
    schema = "ON" if parse_memory(plan.database_memory) >= 2048 else "OFF"
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


def _pod(spec: StoreSpec, engine: str, profile: ClusterProfile, component: Component, user: str) -> Manifest:
    server = container(
        NAME,
        profile.database_image,
        component.resources,
        env=env(
            {"MYSQL_DATABASE": user, "MYSQL_USER": user, "MYSQL_ROOT_HOST": "localhost"},
            {"MYSQL_PASSWORD": PASSWORD, "MYSQL_ROOT_PASSWORD": ("database-root", "password")},
        ),
        mounts={DATA_DIRECTORY: "data/mysql", "/etc/mysql/conf.d": "config", "/var/run/mysqld": "run"},
        port=PORT,
        probes=_probes(user),
    )
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": NAME}},
        {"name": "config", "configMap": {"name": NAME}},
        {"name": "run", "emptyDir": {"sizeLimit": "8Mi"}},
    ]
    return pod(spec, engine, NAME, [server], volumes=volumes, termination_grace=60, config_files=_files(spec.plan))


def _probes(user: str) -> dict[str, Manifest]:
    """Ready: the server answers and has free space. A full volume doesn't restart the server.

    Over TCP: the socket answers already while the image initialises the database. The client's name differs between
    the two images.
    """
    ping = f'"$(command -v mariadb-admin || command -v mysqladmin)" --host=127.0.0.1 --user={user} --silent ping'
    free_space = check_free_space(DATA_DIRECTORY, MIN_FREE_BYTES)
    return {
        "startupProbe": probe(_shell(f"{ping} || {{ {free_space}; exit 1; }}"), period=1, failures=120),
        "readinessProbe": probe(_shell(f"{free_space}; exec {ping}"), period=5, failures=3),
        "livenessProbe": probe(_shell(f"exec {ping}"), period=15, failures=4, seconds=5),
    }


def _shell(script: str) -> Manifest:
    return {"exec": {"command": ["sh", "-c", f'export MYSQL_PWD="$MYSQL_PASSWORD"; {script}']}}
