"""The MedusaJS engine: components, secrets, the division of a plan, and its database."""

import re
from typing import Any

import pytest

from runtime.settings import ClusterProfile
from stores.engines import Manifests
from stores.plans import PLANS, parse_quantity
from tests.support.rendered import containers, environment, get_object, of_kind, profile, spec, template, templates
from tests.support.rendered import render as render_engine
from workers.engines.medusa import ENGINE

PROGRAMS = "/srv/medusa/src/programs"
MEDUSA = ("web", "worker", "install", "proof", "rotate")
UPLOADS = "/var/lib/medusa/uploads"
CONNECTIONS, CONNECTION_BYTES = 10, 6 * 2**20
"""Of the pool of each process (images/medusa/medusa-config.ts), and what each has without a query."""


def render(cluster: ClusterProfile | None = None, **changes: Any) -> Manifests:
    return render_engine(ENGINE, cluster, **changes)


def running(manifests: Manifests) -> set[str]:
    """Names of the Deployments and StatefulSets with pods."""
    workloads = [*of_kind(manifests, "Deployment"), *of_kind(manifests, "StatefulSet")]
    return {item["metadata"]["name"] for item in workloads if item["spec"]["replicas"]}


def by_name(manifests: Manifests) -> dict[str, dict[str, Any]]:
    return {found["name"]: found for found in containers(manifests)}


def test_secrets_are_long_and_random_and_one_is_shown() -> None:
    values = [field.generate() for field in ENGINE.secrets]
    assert len(set(values)) == len(values) == len({field.name for field in ENGINE.secrets}) == 6
    assert all(re.fullmatch(r"[\w-]{32,}", value, re.ASCII) for value in values)
    assert [field.name for field in ENGINE.secrets if field.revealable] == ["admin-password"]


def test_each_container_gets_only_its_secrets() -> None:
    found = {
        name: {item["name"] for item in container["env"] if "valueFrom" in item}
        for name, container in by_name(render(plan="large")).items()
    }
    assert found == {
        "database": {"POSTGRES_PASSWORD"},
        "valkey": {"PASSWORD"},
        "web": {"DATABASE_PASSWORD", "JWT_SECRET", "COOKIE_SECRET", "STORE_PROOF_TOKEN", "REDIS_PASSWORD"},
        "worker": {"DATABASE_PASSWORD", "JWT_SECRET", "COOKIE_SECRET", "REDIS_PASSWORD"},
        "install": {"DATABASE_PASSWORD", "STORE_ADMIN_PASSWORD"},
        "proof": {"DATABASE_PASSWORD", "STORE_PROOF_TOKEN"},
        "rotate": {"DATABASE_PASSWORD", "STORE_ADMIN_PASSWORD"},
    }


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_what_runs_shares_what_the_plan_promises(plan: Any) -> None:
    manifests = render(plan=plan.name)
    found = by_name(manifests)
    limits = [found[name]["resources"]["limits"] for name in running(manifests)]
    assert sum(parse_quantity(limit["cpu"]) for limit in limits) == pytest.approx(plan.cpu_cores)
    assert sum(parse_quantity(limit["memory"]) for limit in limits) == plan.memory_mib * 2**20
    web, database = (parse_quantity(found[name]["resources"]["limits"]["memory"]) for name in ("web", "database"))
    assert web > database


@pytest.mark.parametrize(
    ("plan", "modes"), [("medium", {"web": "shared"}), ("large", {"web": "server", "worker": "worker"})]
)
def test_background_work_has_a_process_of_its_own_on_the_large_plan(plan: str, modes: dict[str, str]) -> None:
    """What doesn't run on a plan is there with zero pods, so that a return from a larger plan stops it."""
    manifests = render(plan=plan)
    servers = [name for name in ("web", "worker") if name in running(manifests)]
    told = {name: environment(manifests, name) for name in servers}
    assert {name: found["MEDUSA_WORKER_MODE"] for name, found in told.items()} == modes
    assert {found.get("REDIS_HOST") for found in told.values()} == {"valkey" if plan == "large" else None}
    assert running(manifests) == {*modes, "database", *(("valkey",) if plan == "large" else ())}
    workloads = [*of_kind(manifests, "Deployment"), *of_kind(manifests, "StatefulSet")]
    assert {item["metadata"]["name"] for item in workloads} == {"web", "worker", "database", "valkey"}


def test_valkey_loses_no_event_to_a_full_memory_or_a_killed_container() -> None:
    found = by_name(render(plan="large"))["valkey"]
    script = found["command"][-1]
    assert "maxmemory-policy noeviction" in script
    assert "appendonly yes" in script
    [most] = re.findall(r"maxmemory (\d+)mb", script)
    assert int(most) * 2**20 < 0.7 * parse_quantity(found["resources"]["limits"]["memory"])


@pytest.mark.parametrize("plan", PLANS)
def test_servers_know_how_much_memory_they_have(plan: str) -> None:
    manifests = render(plan=plan)
    found = by_name(manifests)
    web, database = (parse_quantity(found[name]["resources"]["limits"]["memory"]) for name in ("web", "database"))
    [heap] = re.findall(
        r"^--max-old-space-size=(\d+) --max-semi-space-size=16$", environment(manifests, "web")["NODE_OPTIONS"]
    )
    assert 0.6 * web <= int(heap) * 2**20 <= 0.7 * web
    config = get_object(manifests, "ConfigMap", "database")["data"]["postgresql.conf"]
    mib = {name: int(value) * 2**20 for name, value in re.findall(r"^(\w+) = (\d+)MB$", config, re.MULTILINE)}
    assert 0.2 * database <= mib["shared_buffers"] <= 0.3 * database
    assert mib["shared_buffers"] < mib["effective_cache_size"] < database
    [vacuums] = map(int, re.findall(r"^autovacuum_max_workers = (\d+)$", config, re.MULTILINE))
    # all of Medusa's connections with a large hash each, and an index that is built meanwhile
    connections = CONNECTIONS * len({"web", "worker"} & running(manifests))
    working = connections * (2 * mib["work_mem"] + CONNECTION_BYTES)
    most = mib["shared_buffers"] + working + vacuums * mib["autovacuum_work_mem"] + mib["maintenance_work_mem"]
    assert most < database


def test_an_acknowledged_order_is_on_the_disk_before_it_is_acknowledged() -> None:
    config = get_object(render(), "ConfigMap", "database")["data"]["postgresql.conf"].splitlines()
    assert {"fsync = on", "synchronous_commit = on", "full_page_writes = on"} < set(config)


def test_the_programs_that_run() -> None:
    found = {name: found["command"] for name, found in by_name(render()).items()}
    assert found.pop("valkey")[-1].startswith("exec valkey-server - <<END\n")
    assert found == {
        "database": ["sh", "/etc/storefleet/start"],
        "web": ["node", f"{PROGRAMS}/web.js"],
        "worker": ["node", f"{PROGRAMS}/web.js"],
        "install": ["node", f"{PROGRAMS}/install.js"],
        "proof": ["node", f"{PROGRAMS}/prove.js"],
        "rotate": ["node", f"{PROGRAMS}/rotate.js"],
    }


def test_what_the_programs_are_told() -> None:
    manifests = render(profile(store_scheme="https", store_port=8443))
    everything = {"STORE_URL": "https://fig-olive.shops.example.com:8443", "STORE_LANGUAGE": "de-DE"}
    told = {
        name: {key: value for key, value in environment(manifests, name).items() if key.startswith("STORE_")}
        for name in MEDUSA
    }
    assert told == {
        "web": everything,
        "worker": everything,
        "install": {
            **everything,
            "STORE_TITLE": "Fig & Olive",
            "STORE_ADMIN_EMAIL": "fig@example.com",
            "STORE_COUNTRY": "DE",
            "STORE_CURRENCY": "EUR",
        },
        "proof": {**everything, "STORE_SERVICE": "http://web"},
        "rotate": {**everything, "STORE_ADMIN_EMAIL": "fig@example.com"},
    }
    [service] = [item for item in of_kind(manifests, "Service") if item["spec"]["ports"][0]["port"] == 5432]
    assert {environment(manifests, name)["DATABASE_HOST"] for name in MEDUSA} == {service["metadata"]["name"]}


def test_our_image_is_of_the_release_and_the_servers_are_settings() -> None:
    cluster = profile(image_registry="r.example/fleet", postgres_image="postgres:18.6", valkey_image="valkey:9.1")
    manifests = render(cluster, release="2027.01")
    assert {name: found["image"] for name, found in by_name(manifests).items()} == {
        "database": "postgres:18.6",
        "valkey": "valkey:9.1",
        **dict.fromkeys(MEDUSA, "r.example/fleet/medusa:2027.01"),
    }


def test_only_medusa_and_the_database_have_disks_and_nothing_reaches_the_internet() -> None:
    manifests = render()
    written = {
        pod["spec"]["containers"][0]["name"]: {
            mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"] if mount["name"] != "config"
        }
        for pod in templates(manifests)
    }
    assert written == {
        "database": {"/tmp", "/var/lib/postgresql"},
        "web": {"/tmp", UPLOADS},
        "worker": {"/tmp", UPLOADS},
        **{name: {"/tmp"} for name in ("valkey", "install", "proof", "rotate")},
    }
    blocks = [
        peer
        for policy in of_kind(manifests, "NetworkPolicy")
        for rule in policy["spec"].get("egress", ())
        for peer in rule["to"]
        if "ipBlock" in peer
    ]
    assert blocks == []


def test_the_next_web_pod_starts_where_the_uploads_are() -> None:
    pod = template(get_object(render(), "Deployment", "web"))
    assert pod is not None
    [term] = pod["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_a_store_of_another_plan_keeps_its_identity() -> None:
    assert spec().plan.name == "small"
    config = get_object(render(), "ConfigMap", "store")["data"]
    assert (config["plan"], config["engine"]) == ("small", "medusa")
