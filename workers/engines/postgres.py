"""PostgreSQL for a store, from the image of the setting `postgres_image`: the official one, or ours of Debian packages.

The StatefulSet starts it with its own script: the official image's leaves a half-made data directory if it is killed.
"""

from runtime.settings import ClusterProfile
from stores.engines import Manifest, StoreSpec
from stores.plans import Plan
from workers.engines import objects
from workers.engines.database import NAME, PASSWORD, check_free_space
from workers.engines.isolation import Component
from workers.engines.pods import container, env, parse_memory, pod, probe

PORT = 5432
VOLUME = "/var/lib/postgresql"
CONFIG_DIRECTORY = "/etc/storefleet"
MIN_FREE_BYTES = 48 * 2**20
"""With less free space on its volume the server isn't ready: it needs whole segments of 16 MiB, or it stops."""
START = """\
# Starts PostgreSQL with the database and the user of that name. It can be killed at any point and started again: the
# data directory is made beside its place, written to the disk, and moved there.
set -eu
umask 077
data=/var/lib/postgresql/data-of-store
new=$data.new

# The first process of a container ignores signals that it has no handler for.
trap 'exit 143' TERM INT

if [ ! -d "$data" ]; then
  rm -rf "$new"
  # initdb asks for the name of its user; the official image has a library that answers
  if ! getent passwd "$(id -u)" >/dev/null; then
    echo "postgres:x:$(id -u):$(id -g)::/tmp:/bin/false" >/tmp/passwd
    echo "postgres:x:$(id -g):" >/tmp/group
    export LD_PRELOAD="$(ls /usr/lib/*/libnss_wrapper.so)" NSS_WRAPPER_PASSWD=/tmp/passwd NSS_WRAPPER_GROUP=/tmp/group
  fi
  if [ -d /usr/share/storefleet/empty ]; then
    cp -r /usr/share/storefleet/empty "$new"
    chmod 700 "$new"
  else
    initdb --pgdata="$new" --username=postgres --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 \\
      --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C --no-sync >/dev/null
  fi
  unset LD_PRELOAD
  password=$(printf '%s' "$POSTGRES_PASSWORD" | sed "s/'/''/g")
  printf '%s\\n' "CREATE ROLE $POSTGRES_USER LOGIN PASSWORD '$password'" \\
    "CREATE DATABASE $POSTGRES_USER OWNER $POSTGRES_USER" |
    postgres --single -D "$new" -c fsync=off -c log_statement=none -c log_min_error_statement=panic postgres >/dev/null
  initdb --pgdata="$new" --sync-only >/dev/null
  mv "$new" "$data"
  sync "${data%/*}"
  echo "start: made an empty database"
fi
unset POSTGRES_PASSWORD
exec postgres -D "$data" -c config_file=/etc/storefleet/postgresql.conf -c hba_file=/etc/storefleet/pg_hba.conf
"""
CLIENTS = """\
# the database's own container, for the operator
local all postgres trust
host all all all scram-sha-256
"""


def config_map(spec: StoreSpec, engine: str) -> Manifest:
    return objects.config_map(spec, engine, NAME, files(spec.plan))


def stateful_set(spec: StoreSpec, engine: str, profile: ClusterProfile, component: Component, user: str) -> Manifest:
    """`user`: the name of the database and of its user."""
    return objects.stateful_set(spec, engine, NAME, _pod(spec, engine, profile, component, user))


def files(plan: Plan) -> dict[str, str]:
    """The script, and the server's configuration.

    A flush at every commit: an acknowledged order is on the disk. There is no replica, and the log (WAL) is kept small:
    it is on the same volume. The memory is the plan's: PostgreSQL's own defaults need more than a small container has.
    """
    memory = parse_memory(plan.database_memory)
    config = (
        "listen_addresses = '*'\n"
        "unix_socket_directories = '/tmp'\n"
        "max_connections = 60\n"
        f"shared_buffers = {plan.database_buffer_pool}B\n"
        f"effective_cache_size = {memory // 2}MB\n"
        # of a connection; a hash may take twice as much, and each process of the shop has ten connections
        f"work_mem = {memory // 96}MB\n"
        f"maintenance_work_mem = {memory // 16}MB\n"
        f"autovacuum_work_mem = {memory // 32}MB\n"
        "autovacuum_max_workers = 2\n"
        "huge_pages = off\n"
        "jit = off\n"
        # processes of one query would share memory in /dev/shm, which is small
        "max_parallel_workers_per_gather = 0\n"
        "max_parallel_maintenance_workers = 0\n"
        "fsync = on\n"
        "synchronous_commit = on\n"
        "full_page_writes = on\n"
        "wal_level = minimal\n"
        "max_wal_senders = 0\n"
        "min_wal_size = 64MB\n"
        "max_wal_size = 256MB\n"
        "timezone = 'UTC'\n"
        "log_timezone = 'UTC'\n"
        "password_encryption = scram-sha-256\n"
    )
    return {"start": START, "postgresql.conf": config, "pg_hba.conf": CLIENTS}


def _pod(spec: StoreSpec, engine: str, profile: ClusterProfile, component: Component, user: str) -> Manifest:
    server = container(
        NAME,
        profile.postgres_image,
        component.resources,
        env=env({"POSTGRES_USER": user}, {"POSTGRES_PASSWORD": PASSWORD}),
        mounts={VOLUME: "data/postgresql", CONFIG_DIRECTORY: "config"},
        command=["sh", f"{CONFIG_DIRECTORY}/start"],
        port=PORT,
        probes=_probes(),
    )
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": NAME}},
        {"name": "config", "configMap": {"name": NAME}},
    ]
    return pod(spec, engine, NAME, [server], volumes=volumes, termination_grace=60, config_files=files(spec.plan))


def _probes() -> dict[str, Manifest]:
    """Ready: the server answers over TCP and has free space. A full volume doesn't restart the server."""
    ping = "pg_isready --host=127.0.0.1 --quiet"
    free_space = check_free_space(VOLUME, MIN_FREE_BYTES)
    return {
        "startupProbe": probe(_shell(f"{ping} || {{ {free_space}; exit 1; }}"), period=1, failures=120),
        "readinessProbe": probe(_shell(f"{free_space}; exec {ping}"), period=5, failures=3),
        "livenessProbe": probe(_shell(f"exec {ping}"), period=15, failures=4, seconds=5),
    }


def _shell(script: str) -> Manifest:
    return {"exec": {"command": ["sh", "-c", script]}}
