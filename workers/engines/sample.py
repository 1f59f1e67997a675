"""Sample shops: the smallest shop that keeps orders in a database. To try a cluster, and for tests.

Not in the default of the setting `engines`. The program is in images/sample.
"""

from collections.abc import Mapping

from runtime.settings import ClusterProfile
from stores.engines import Engine, EngineStep, Manifest, Manifests, SecretField, StoreSpec
from stores.names import store_url
from workers.engines import database, mysql, objects
from workers.engines.isolation import WEB_SERVERS, Component, isolation, namespace
from workers.engines.pods import Resources, container, env, parse_cpu, parse_memory, pod, probe

NAME = "sample"
PORT = 8080
INSTALL_SECONDS = 300
PROOF_TOKEN = ("sample", "proof-token")


def render(spec: StoreSpec, secrets: Mapping[str, str], profile: ClusterProfile) -> Manifests:
    """A database and a web server with their Services and a route; an install and a proof Job."""
    helper = Resources(cpu=200, memory=64)
    server = database.component(spec.plan, mysql.PORT, clients=("web", "install"))
    size = Resources(parse_cpu(spec.plan.web_cpu), parse_memory(spec.plan.web_memory))
    web = Component("web", size, port=PORT, clients=("proof",), public=True, internet_ports=WEB_SERVERS)
    install, proof = Component("install", helper), Component("proof", helper)
    return Manifests(
        namespace=namespace(spec, NAME, profile),
        isolation=isolation(spec, NAME, profile, [server, web, install, proof]),
        resources=[
            *mysql.secrets(spec, NAME, secrets),
            objects.secret(
                spec,
                NAME,
                "sample",
                {"proof-token": secrets["proof-token"], "admin-password": secrets["admin-password"]},
            ),
            mysql.config_map(spec, NAME),
            database.claim(spec, NAME, profile),
            database.service(spec, NAME, mysql.PORT),
            objects.service(spec, NAME, "web", 80),
            mysql.stateful_set(spec, NAME, profile, server, user="sample"),
            objects.deployment(spec, NAME, "web", _web(spec, profile, web)),
            objects.route(spec, NAME, profile, "web", 80),
        ],
        install=objects.job(
            spec, NAME, "install", _install(spec, profile, install), seconds=INSTALL_SECONDS, retries=2
        ),
        # its pod waits for the installation
        proof=objects.job(spec, NAME, "proof", _proof(spec, profile, proof), seconds=INSTALL_SECONDS + 60, retries=1),
    )


def _shop(
    spec: StoreSpec,
    profile: ClusterProfile,
    component: Component,
    values: Mapping[str, str],
    secrets: Mapping[str, tuple[str, str]],
    **more: object,
) -> Manifest:
    """A container of the engine's image; components differ in the subcommand."""
    subcommand = {"web": "serve", "install": "install", "proof": "prove"}[component.name]
    return container(
        component.name,
        f"{profile.image_registry}/{NAME}:{spec.release}",
        component.resources,
        command=["python3", "-m", "shop", subcommand],
        env=env(values, secrets),
        mounts={},
        **more,  # type: ignore[arg-type]  # port, probes and stop are passed on as they are
    )


DATABASE = {"DATABASE_HOST": database.NAME, "DATABASE_USER": "sample"}


def _web(spec: StoreSpec, profile: ClusterProfile, component: Component) -> Manifest:
    alive = {"httpGet": {"path": "/healthz", "port": "main"}}
    ready = {"httpGet": {"path": "/readyz", "port": "main"}}
    web = _shop(
        spec,
        profile,
        component,
        {**DATABASE, "STORE_TITLE": spec.name},
        {
            "DATABASE_PASSWORD": database.PASSWORD,
            "PROOF_TOKEN": PROOF_TOKEN,
            "ADMIN_PASSWORD": ("sample", "admin-password"),
        },
        port=PORT,
        probes={
            "startupProbe": probe(alive, period=1, failures=60),
            "readinessProbe": probe(ready, period=2, failures=3),
            "livenessProbe": probe(alive, period=10, failures=3),
        },
        pre_stop=["sleep", "3"],
        public=True,
    )
    return pod(spec, NAME, component.name, [web])


def _install(spec: StoreSpec, profile: ClusterProfile, component: Component) -> Manifest:
    install = _shop(spec, profile, component, DATABASE, {"DATABASE_PASSWORD": database.PASSWORD})
    return pod(spec, NAME, component.name, [install], restart="Never")


def _proof(spec: StoreSpec, profile: ClusterProfile, component: Component) -> Manifest:
    values = {"STORE_SERVICE": "http://web", "STORE_URL": store_url(spec.slug, profile)}
    proof = _shop(spec, profile, component, values, {"PROOF_TOKEN": PROOF_TOKEN})
    return pod(spec, NAME, component.name, [proof], restart="Never")


ENGINE = Engine(
    name=NAME,
    title="Sample shop",
    description="A small store with a cart and a checkout, for demonstrations and tests.",
    releases=("1",),
    steps=(
        database.STEP,
        EngineStep("install", "Making the shop's tables", "Job", "install"),
        EngineStep("web", "Opening the shop", "Deployment", "web"),
    ),
    secrets=(
        SecretField("admin-password", database.generate_password, revealable=True),
        *mysql.SECRETS,
        SecretField("proof-token", database.generate_password),
    ),
    admin_path="/admin",
    components=("web", "database", "install", "proof"),
    essential=("database", "web"),
    render=render,
)
