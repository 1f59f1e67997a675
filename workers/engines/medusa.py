"""MedusaJS stores: Medusa with its admin and our storefront, and PostgreSQL.

On the plans of WORKER_PLANS a process of its own does the background work, and Valkey connects it with the server
that visitors reach. On the others one process does both.

All objects are applied at once, and the pods wait for each other: web loads its code while the database starts, and
opens when the install Job has made the shop; the proof Job, which is created while install runs, waits for web.
"""

import secrets as random
from collections.abc import Mapping
from dataclasses import replace

from runtime.settings import ClusterProfile
from stores.engines import Engine, EngineStep, Manifest, Manifests, SecretField, StoreSpec, pending_field
from stores.names import store_url
from stores.plans import Plan
from workers.engines import database, objects, postgres, valkey
from workers.engines.isolation import Component, isolation, namespace
from workers.engines.labels import UPLOADS_COLOCATION
from workers.engines.pods import Resources, container, env, parse_cpu, parse_memory, pod, probe

NAME = "medusa"
RELEASES = ("2026.11",)
WEB_PORT = 8080
UPLOADS = "/var/lib/medusa/uploads"
PROGRAMS = "/srv/medusa/src/programs"
INSTALL_SECONDS = 600
WORKER_PLANS = ("large",)
WEB_SHARE = 0.7
"""The share of the plan's CPU and memory. The plan divides them as MySQL needs it, and Node.js needs more."""
WORKER_SHARE = 0.2
"""The same for the worker, where there is one. It is taken from web's share."""
VALKEY_CPU, VALKEY_MEMORY = 200, 128
"""In millicores and MiB, also taken from web's share."""
HEAP_SHARE = 0.65
"""The share of the web container's memory that JavaScript objects may use."""
YOUNG_MIB = 16
"""Of one half of the heap's young generation, which has up to three. Node.js 24 would take twice as much."""
PROOF_TOKEN = {"STORE_PROOF_TOKEN": ("medusa", "proof-token")}
"""Authenticates the proof's requests. Both web and proof have it."""


def render(spec: StoreSpec, secrets: Mapping[str, str], profile: ClusterProfile) -> Manifests:
    """All manifests of a store of the given release."""
    spec, has_worker = replace(spec, plan=_divide(spec.plan)), spec.plan.name in WORKER_PLANS
    components = _components(spec, has_worker)
    web = _web(spec, profile, components["web"], "server" if has_worker else "shared")
    # what doesn't run is also rendered: a store that returns from a larger plan stops it
    background = [
        objects.deployment(spec, NAME, "worker", _server(spec, profile, components["worker"], "worker"), surge=False),
        valkey.stateful_set(spec, NAME, profile, components[valkey.NAME]),
    ]
    return Manifests(
        namespace=namespace(spec, NAME, profile),
        isolation=isolation(spec, NAME, profile, list(components.values())),
        resources=[
            *_secrets(spec, secrets),
            postgres.config_map(spec, NAME),
            database.claim(spec, NAME, profile),
            objects.claim(spec, NAME, profile, "uploads", spec.plan.uploads_disk),
            database.service(spec, NAME, postgres.PORT),
            valkey.service(spec, NAME),
            objects.service(spec, NAME, "web", 80),
            postgres.stateful_set(spec, NAME, profile, components[database.NAME], user=NAME),
            objects.deployment(spec, NAME, "web", web),
            *(background if has_worker else map(objects.without_pods, background)),
            objects.route(spec, NAME, profile, "web", 80),
        ],
        install=objects.job(
            spec, NAME, "install", _install(spec, profile, components["install"]), seconds=INSTALL_SECONDS, retries=3
        ),
        # its pod waits for the installation
        proof=objects.job(
            spec, NAME, "proof", _proof(spec, profile, components["proof"]), seconds=INSTALL_SECONDS + 120, retries=1
        ),
        rotation=objects.rotation(
            spec, NAME, secrets.get(pending_field("admin-password")), _rotate(spec, profile, components["rotate"])
        ),
    )


def _divide(plan: Plan) -> Plan:
    """The plan with the same CPU and memory in total, WEB_SHARE of both for web, or web, worker and Valkey."""
    cpu, memory = round(plan.cpu_cores * 1000), plan.memory_mib
    web_cpu, web_memory = round(cpu * WEB_SHARE), round(memory * WEB_SHARE)
    return replace(
        plan,
        web_cpu=f"{web_cpu}m",
        database_cpu=f"{cpu - web_cpu}m",
        web_memory=f"{web_memory}Mi",
        database_memory=f"{memory - web_memory}Mi",
        database_buffer_pool=f"{(memory - web_memory) // 4}M",
    )


def _components(spec: StoreSpec, has_worker: bool) -> dict[str, Component]:
    plan = spec.plan
    # a new store waits for install and proof: they get more CPU
    fast, slow = (Resources(cpu, memory=192, ephemeral_storage=128) for cpu in (1000, 500))
    web_cpu, web_memory = parse_cpu(plan.web_cpu), parse_memory(plan.web_memory)
    worker = Resources(round(web_cpu * WORKER_SHARE), round(web_memory * WORKER_SHARE), ephemeral_storage=512)
    if has_worker:
        web_cpu -= worker.cpu + VALKEY_CPU
        web_memory -= worker.memory + VALKEY_MEMORY
    return {
        component.name: component
        for component in (
            Component(
                "web",
                Resources(web_cpu, web_memory, ephemeral_storage=512),
                port=WEB_PORT,
                clients=("proof",),
                public=True,
                disk=plan.uploads_disk,
            ),
            Component("worker", worker, port=WEB_PORT, pods=int(has_worker)),
            database.component(plan, postgres.PORT, clients=("web", "worker", "install", "proof", "rotate")),
            valkey.component(VALKEY_CPU, VALKEY_MEMORY, clients=("web", "worker"), pods=int(has_worker)),
            # an upgrade runs Medusa's migrations
            Component("install", replace(fast, memory=512)),
            Component("proof", fast),
            Component("rotate", slow),
        )
    }


def _secrets(spec: StoreSpec, secrets: Mapping[str, str]) -> list[Manifest]:
    """One Secret for each use, so that each container gets only the values it needs."""
    return [
        database.secret(spec, NAME, secrets["database-password"]),
        valkey.secret(spec, NAME, secrets["valkey-password"]),
        objects.secret(spec, NAME, "medusa", {name: secrets[name] for name in ("jwt", "cookie", "proof-token")}),
        objects.secret(spec, NAME, "admin", {"password": secrets["admin-password"]}),
    ]


def _medusa(
    spec: StoreSpec,
    profile: ClusterProfile,
    component: Component,
    *,
    program: str,
    values: Mapping[str, str] | None = None,
    secrets: Mapping[str, tuple[str, str]] | None = None,
    mounts: Mapping[str, str] | None = None,
    **more: object,
) -> Manifest:
    """A container of the engine's image; components differ in the program they run."""
    old = round(component.resources.memory * HEAP_SHARE)
    common = {
        "DATABASE_HOST": database.NAME,
        "DATABASE_NAME": NAME,
        "DATABASE_USER": NAME,
        "STORE_URL": store_url(spec.slug, profile),
        "STORE_LANGUAGE": spec.language,
        "NODE_OPTIONS": f"--max-old-space-size={old} --max-semi-space-size={YOUNG_MIB}",
    }
    return container(
        component.name,
        f"{profile.image_registry}/{NAME}:{spec.release}",
        component.resources,
        env=env({**common, **(values or {})}, {"DATABASE_PASSWORD": database.PASSWORD, **(secrets or {})}),
        mounts=mounts or {},
        command=["node", f"{PROGRAMS}/{program}.js"],
        **more,  # type: ignore[arg-type]  # port, probes and stop are passed on as they are
    )


def _web(spec: StoreSpec, profile: ClusterProfile, component: Component, mode: str) -> Manifest:
    return _server(
        spec,
        profile,
        component,
        mode,
        secrets=PROOF_TOKEN,
        # first the Service removes the pod; then SIGTERM lets running requests end
        pre_stop=["sleep", "3"],
    )


def _server(
    spec: StoreSpec,
    profile: ClusterProfile,
    component: Component,
    mode: str,
    *,
    secrets: Mapping[str, tuple[str, str]] | None = None,
    **more: object,
) -> Manifest:
    """The pod template of a process of Medusa. `mode`: `shared`, or `server` or `worker`, which Valkey connects."""
    alive = {"httpGet": {"path": "/healthz", "port": "main"}}
    ready = {"httpGet": {"path": "/readyz", "port": "main"}}
    own_secrets = {"JWT_SECRET": ("medusa", "jwt"), "COOKIE_SECRET": ("medusa", "cookie"), **(secrets or {})}
    values = {"MEDUSA_WORKER_MODE": mode}
    if mode != "shared":
        own_secrets["REDIS_PASSWORD"] = valkey.PASSWORD
        values["REDIS_HOST"] = valkey.NAME
    server = _medusa(
        spec,
        profile,
        component,
        program="web",
        values=values,
        secrets=own_secrets,
        mounts={UPLOADS: "uploads"},
        port=WEB_PORT,
        probes={
            "startupProbe": probe(alive, period=1, failures=60),
            "readinessProbe": probe(ready, period=2, failures=3),
            # a long timeout: while Medusa loads, and under load, the request waits
            "livenessProbe": probe(alive, period=10, failures=6, seconds=5),
        },
        public=True,  # the worker handles what visitors have sent
        **more,
    )
    uploads = {"name": "uploads", "persistentVolumeClaim": {"claimName": "uploads"}}
    return pod(
        spec, NAME, component.name, [server], volumes=[uploads], termination_grace=40, colocated_by=UPLOADS_COLOCATION
    )


def _install(spec: StoreSpec, profile: ClusterProfile, component: Component) -> Manifest:
    values = {
        "STORE_TITLE": spec.name,
        "STORE_ADMIN_EMAIL": spec.admin_email,
        "STORE_COUNTRY": spec.country,
        "STORE_CURRENCY": spec.currency,
    }
    secrets = {"STORE_ADMIN_PASSWORD": ("admin", "password")}
    return _job_pod(spec, _medusa(spec, profile, component, program="install", values=values, secrets=secrets))


def _proof(spec: StoreSpec, profile: ClusterProfile, component: Component) -> Manifest:
    values = {"STORE_SERVICE": "http://web"}
    return _job_pod(spec, _medusa(spec, profile, component, program="prove", values=values, secrets=PROOF_TOKEN))


def _rotate(spec: StoreSpec, profile: ClusterProfile, component: Component) -> Manifest:
    values = {"STORE_ADMIN_EMAIL": spec.admin_email}
    secrets = {"STORE_ADMIN_PASSWORD": ("rotate", "password")}
    return _job_pod(spec, _medusa(spec, profile, component, program="rotate", values=values, secrets=secrets))


def _job_pod(spec: StoreSpec, program: Manifest) -> Manifest:
    """The pod template of a Job. All programs can be killed at any point."""
    return pod(spec, NAME, program["name"], [program], termination_grace=10, restart="Never")


ENGINE = Engine(
    name=NAME,
    title="MedusaJS",
    description="Medusa with a storefront: a fast store with products, cart, checkout, an admin area and an open API.",
    releases=RELEASES,
    steps=(
        database.STEP,
        EngineStep("install", "Installing Medusa", "Job", "install"),
        EngineStep("web", "Opening the shop", "Deployment", "web"),
        EngineStep("worker", "Starting background work", "Deployment", "worker"),
    ),
    secrets=(
        SecretField("admin-password", database.generate_password, revealable=True),
        SecretField("database-password", database.generate_password),
        SecretField("proof-token", database.generate_password),
        SecretField("jwt", random.token_urlsafe),
        SecretField("cookie", random.token_urlsafe),
        SecretField("valkey-password", database.generate_password),
    ),
    components=("web", "worker", "database", "valkey", "install", "proof", "rotate"),
    rotates=True,
    admin_username=None,
    admin_path="/app",
    essential=("database", "web"),
    render=render,
)
