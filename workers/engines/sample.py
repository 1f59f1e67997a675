"""Sample shops: the smallest thing that sells and keeps orders in a database. For trying a cluster, and for tests.

Not among the engines that are offered unless the setting says so. The program is in images/sample.
"""

from collections.abc import Mapping

from runtime.settings import ClusterProfile
from stores.engines import Engine, EngineStep, Manifest, Manifests, SecretField, StoreSpec
from workers.engines import mysql, objects
from workers.engines.isolation import WEB_SERVERS, Part, address_of, isolation, namespace
from workers.engines.pods import Resources, container, cpu_of, env, memory_of, pod, probe

NAME = "sample"
PORT = 8080
INSTALL_SECONDS = 300
PROOF_TOKEN = ("sample", "proof-token")


def render(spec: StoreSpec, secrets: Mapping[str, str], profile: ClusterProfile) -> Manifests:
    """A database and a web server with their Services and the address; an install and a proof Job."""
    helper = Resources(cpu=200, memory=64)
    database = mysql.part(spec.plan, callers=("web", "install"))
    size = Resources(cpu_of(spec.plan.web_cpu), memory_of(spec.plan.web_memory))
    web = Part("web", size, port=PORT, callers=("proof",), public=True, internet=WEB_SERVERS)
    install, proof = Part("install", helper), Part("proof", helper)
    return Manifests(
        namespace=namespace(spec, NAME, profile),
        isolation=isolation(spec, NAME, profile, [database, web, install, proof]),
        workloads=[
            *mysql.secrets(spec, NAME, secrets),
            objects.secret(
                spec,
                NAME,
                "sample",
                {"proof-token": secrets["proof-token"], "admin-password": secrets["admin-password"]},
            ),
            mysql.config_map(spec, NAME),
            mysql.claim(spec, NAME, profile),
            mysql.service(spec, NAME),
            objects.service(spec, NAME, "web", 80),
            mysql.stateful_set(spec, NAME, profile, database, user="sample"),
            objects.deployment(spec, NAME, "web", _web(spec, profile, web)),
            objects.route(spec, NAME, profile, "web", 80),
        ],
        install=objects.job(
            spec, NAME, "install", _install(spec, profile, install), seconds=INSTALL_SECONDS, retries=2
        ),
        # it waits for the installation
        proof=objects.job(spec, NAME, "proof", _proof(spec, profile, proof), seconds=INSTALL_SECONDS + 60, retries=1),
    )


def _shop(
    spec: StoreSpec,
    profile: ClusterProfile,
    part: Part,
    values: Mapping[str, str],
    secrets: Mapping[str, tuple[str, str]],
    **more: object,
) -> Manifest:
    """A container of the one image: the parts differ in what they are told to do."""
    do = "serve" if part.name == "web" else {"install": "install", "proof": "prove"}[part.name]
    return container(
        part.name,
        f"{profile.image_registry}/{NAME}:{spec.release}",
        part.resources,
        command=["python3", "-m", "shop", do],
        env=env(values, secrets),
        mounts={},
        **more,  # type: ignore[arg-type]  # port, probes and stop are passed on as they are
    )


DATABASE = {"DATABASE_HOST": mysql.NAME, "DATABASE_USER": "sample"}


def _web(spec: StoreSpec, profile: ClusterProfile, part: Part) -> Manifest:
    alive = {"httpGet": {"path": "/healthz", "port": "main"}}
    ready = {"httpGet": {"path": "/readyz", "port": "main"}}
    web = _shop(
        spec,
        profile,
        part,
        {**DATABASE, "STORE_TITLE": spec.name},
        {
            "DATABASE_PASSWORD": mysql.PASSWORD,
            "PROOF_TOKEN": PROOF_TOKEN,
            "ADMIN_PASSWORD": ("sample", "admin-password"),
        },
        port=PORT,
        probes={
            "startupProbe": probe(alive, period=1, failures=60),
            "readinessProbe": probe(ready, period=2, failures=3),
            "livenessProbe": probe(alive, period=10, failures=3),
        },
        stop=["sleep", "3"],
    )
    return pod(spec, NAME, part.name, [web])


def _install(spec: StoreSpec, profile: ClusterProfile, part: Part) -> Manifest:
    install = _shop(spec, profile, part, DATABASE, {"DATABASE_PASSWORD": mysql.PASSWORD})
    return pod(spec, NAME, part.name, [install], restart="Never")


def _proof(spec: StoreSpec, profile: ClusterProfile, part: Part) -> Manifest:
    values = {"STORE_SERVICE": "http://web", "STORE_URL": address_of(spec, profile)}
    proof = _shop(spec, profile, part, values, {"PROOF_TOKEN": PROOF_TOKEN})
    return pod(spec, NAME, part.name, [proof], restart="Never")


ENGINE = Engine(
    name=NAME,
    title="Sample shop",
    releases=("1",),
    steps=(
        mysql.STEP,
        EngineStep("install", "Making the shop's tables", "Job", "install"),
        EngineStep("web", "Opening the shop", "Deployment", "web"),
    ),
    secrets=(
        SecretField("admin-password", mysql.new_password, shown=True),
        *mysql.SECRETS,
        SecretField("proof-token", mysql.new_password),
    ),
    admin_path="/admin",
    workloads=("web", "database", "install", "proof"),
    essential=("database", "web"),
    render=render,
)
