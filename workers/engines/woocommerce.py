"""WooCommerce stores: WordPress with WooCommerce on PHP-Apache, and MySQL or MariaDB.

All objects are applied at once, and the pods wait for each other: web is not ready without its database, the install
Job waits for the database, and the proof Job, which is created while install runs, waits for web.
"""

import hmac
import secrets as random
from collections.abc import Mapping
from urllib.parse import urlsplit

from runtime.settings import ClusterProfile
from stores.engines import SETUPS, Engine, EngineStep, Manifest, Manifests, SecretField, StoreSpec, pending_field
from stores.names import store_url
from workers.engines import database, mysql, objects
from workers.engines.isolation import MAIL_SERVERS, WEB_SERVERS, Component, isolation, namespace
from workers.engines.labels import UPLOADS_COLOCATION
from workers.engines.pods import Resources, container, env, parse_cpu, parse_memory, pod, probe

NAME = "woocommerce"
RELEASES = ("2026.11",)
WEB_PORT = 8080
PROBE_PORT = 8081
"""Apache listens here, too: a probe doesn't wait in the queue of visitors. No network policy opens it."""
UPLOADS = "/var/www/html/wp-content/uploads"
CONTENT = "/var/www/content"
"""WP_CONTENT_DIR of stores whose owner may install plugins and themes; a subPath of the uploads volume."""
INSTALL_SECONDS = 600
ADMIN_USERNAME = "admin"
PROOF_TOKEN = {"STORE_PROOF_TOKEN": ("wordpress", "proof-token")}
"""Authenticates the proof's requests: only they see the proof's product. Both web and proof have it."""
SALTS = tuple(
    f"{kind}-{use}" for kind in ("auth", "secure-auth", "logged-in", "nonce") for use in ("key", "salt")
)  # fmt: skip


def _allows_plugins(spec: StoreSpec, profile: ClusterProfile) -> bool:
    return spec.plan.name in profile.plugins


def _components(spec: StoreSpec, profile: ClusterProfile, smtp: Mapping[str, str]) -> dict[str, Component]:
    plan = spec.plan
    # a plugin may send mail by a server that the owner configures
    internet_ports = (*WEB_SERVERS, *(MAIL_SERVERS if _allows_plugins(spec, profile) else ()))
    # a new store waits for install and proof: they get more CPU
    fast, slow = (Resources(cpu, memory=256, ephemeral_storage=256) for cpu in (1000, 500))
    return {
        component.name: component
        for component in (
            Component(
                "web",
                Resources(parse_cpu(plan.web_cpu), parse_memory(plan.web_memory), ephemeral_storage=512),
                port=WEB_PORT,
                clients=("install", "proof", "cron"),
                public=True,
                internet_ports=internet_ports,
                mail=bool(smtp),
                disk=plan.uploads_disk,
            ),
            database.component(plan, mysql.PORT, clients=("web", "install", "proof", "cron", "rotate")),
            Component("install", fast),
            Component("proof", fast),
            Component("cron", slow, internet_ports=internet_ports, mail=bool(smtp)),
            Component("rotate", slow),
        )
    }


def render(spec: StoreSpec, secrets: Mapping[str, str], profile: ClusterProfile) -> Manifests:
    """All manifests of a store of the given release."""
    smtp = _smtp(spec, secrets, profile)
    components = _components(spec, profile, smtp)
    return Manifests(
        namespace=namespace(spec, NAME, profile),
        isolation=isolation(spec, NAME, profile, list(components.values())),
        resources=[
            *_secrets(spec, secrets, smtp),
            mysql.config_map(spec, NAME),
            database.claim(spec, NAME, profile),
            objects.claim(spec, NAME, profile, "uploads", spec.plan.uploads_disk),
            database.service(spec, NAME, mysql.PORT),
            objects.service(spec, NAME, "web", 80),
            mysql.stateful_set(spec, NAME, profile, components[database.NAME], user="wordpress"),
            objects.deployment(spec, NAME, "web", _web(spec, profile, components["web"], smtp)),
            objects.cron_job(spec, NAME, "cron", _cron(spec, profile, components["cron"], smtp), minutes=5),
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


def _secrets(spec: StoreSpec, secrets: Mapping[str, str], smtp: Mapping[str, str]) -> list[Manifest]:
    """One Secret for each use, so that each container gets only the values it needs."""
    wordpress = {name: secrets[name] for name in (*SALTS, "proof-token")}
    return [
        *mysql.secrets(spec, NAME, secrets),
        objects.secret(spec, NAME, "wordpress", {**wordpress, **smtp}),
        objects.secret(spec, NAME, "admin", {"password": secrets["admin-password"]}),
    ]


def _smtp(spec: StoreSpec, secrets: Mapping[str, str], profile: ClusterProfile) -> dict[str, str]:
    """The key and value of the Secret with the mail server's URL; empty without one, or if a plugin could read it.

    A changed URL changes the key: web is replaced, and no pod can start with the old URL. The digest in the key is
    keyed with the store's proof token: the password can't be guessed from it.
    """
    if profile.smtp_url is None:
        return {}
    url = profile.smtp_url.get_secret_value()
    if urlsplit(url).password is not None and _allows_plugins(spec, profile):
        return {}
    return {f"smtp-url-{hmac.digest(secrets['proof-token'].encode(), url.encode(), 'sha256').hex()[:16]}": url}


def _wordpress(
    spec: StoreSpec,
    profile: ClusterProfile,
    component: Component,
    *,
    program: str,
    values: Mapping[str, str] | None = None,
    secrets: Mapping[str, tuple[str, str]] | None = None,
    **more: object,
) -> Manifest:
    """A container of the engine's image; components differ in the program they run."""
    salts = {f"WORDPRESS_{name.upper().replace('-', '_')}": ("wordpress", name) for name in SALTS}
    plugins = _allows_plugins(spec, profile)
    # the web server never serves names with a dot; some plugins look for uploads in WP_CONTENT_DIR
    content = {CONTENT: "uploads/.content", f"{CONTENT}/uploads": "uploads"} if plugins else {}
    common = {
        "WORDPRESS_DB_HOST": "database",
        "WORDPRESS_DB_NAME": "wordpress",
        "WORDPRESS_DB_USER": "wordpress",
        "STORE_URL": store_url(spec.slug, profile),
        **({"STORE_PLUGINS": "writable"} if plugins else {}),
    }
    return container(
        component.name,
        f"{profile.image_registry}/{NAME}:{spec.release}",
        component.resources,
        env=env(
            {**common, **(values or {})},
            {
                "WORDPRESS_DB_PASSWORD": database.PASSWORD,
                **salts,
                **(secrets or {}),
            },
        ),
        mounts={UPLOADS: "uploads", **content},
        command=["/opt/storefleet/run", program],
        **more,  # type: ignore[arg-type]  # port, probes and stop are passed on as they are
    )


def _web(spec: StoreSpec, profile: ClusterProfile, component: Component, smtp: Mapping[str, str]) -> Manifest:
    """Ready: the shop was set up when the container started, and PHP answers.

    Without its database the shop stays in its Service: it has a page for visitors then, which an ingress controller
    has not. There is only one pod, so nobody else could answer.
    """
    alive = {"httpGet": {"path": "/healthz", "port": PROBE_PORT}}
    set_up = {"httpGet": {"path": "/readyz", "port": PROBE_PORT}}
    web = _wordpress(
        spec,
        profile,
        component,
        program="web",
        secrets={**PROOF_TOKEN, **_smtp_variable(smtp)},
        port=WEB_PORT,
        probes={
            # while the install Job may run
            "startupProbe": probe(set_up, period=1, failures=INSTALL_SECONDS),
            # long timeouts: under load a probe waits for the next worker, and a restart would not help
            "readinessProbe": probe(alive, period=2, failures=4, seconds=5),
            "livenessProbe": probe(alive, period=10, failures=6, seconds=5),
        },
        # first the Service removes the pod; then the image's stop signal lets running requests end
        pre_stop=["sleep", "3"],
        public=True,
    )
    return pod(spec, NAME, "web", [web], volumes=[_uploads()], termination_grace=40, colocated_by=UPLOADS_COLOCATION)


def _install(spec: StoreSpec, profile: ClusterProfile, component: Component) -> Manifest:
    install = _wordpress(
        spec,
        profile,
        component,
        program="install",
        values={
            "STORE_TITLE": spec.name,
            "STORE_ADMIN_EMAIL": spec.admin_email,
            "STORE_ADMIN_USER": ADMIN_USERNAME,
            "STORE_COUNTRY": spec.country,
            "STORE_CURRENCY": spec.currency,
            "STORE_LOCALE": spec.language.replace("-", "_"),
            "STORE_SETUP": spec.setup,
        },
        secrets={"STORE_ADMIN_PASSWORD": ("admin", "password")},
    )
    return _short_lived_pod(spec, install)


def _proof(spec: StoreSpec, profile: ClusterProfile, component: Component) -> Manifest:
    proof = _wordpress(
        spec,
        profile,
        component,
        program="prove",
        values={"STORE_SERVICE": "http://web"},
        secrets=PROOF_TOKEN,
    )
    return _short_lived_pod(spec, proof)


def _rotate(spec: StoreSpec, profile: ClusterProfile, component: Component) -> Manifest:
    rotate = _wordpress(
        spec,
        profile,
        component,
        program="rotate",
        values={"STORE_ADMIN_USER": ADMIN_USERNAME},
        secrets={"STORE_ADMIN_PASSWORD": ("rotate", "password")},
    )
    return _short_lived_pod(spec, rotate)


def _cron(spec: StoreSpec, profile: ClusterProfile, component: Component, smtp: Mapping[str, str]) -> Manifest:
    return _short_lived_pod(spec, _wordpress(spec, profile, component, program="cron", secrets=_smtp_variable(smtp)))


def _smtp_variable(smtp: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {"STORE_SMTP_URL": ("wordpress", next(iter(smtp)))} if smtp else {}


def _short_lived_pod(spec: StoreSpec, program: Manifest) -> Manifest:
    """The pod template of a Job. PHP ignores SIGTERM as first process; all programs can be killed at any point."""
    return pod(
        spec,
        NAME,
        program["name"],
        [program],
        volumes=[_uploads()],
        termination_grace=10,
        restart="Never",
        colocated_by=UPLOADS_COLOCATION,
    )


def _uploads() -> Manifest:
    return {"name": "uploads", "persistentVolumeClaim": {"claimName": "uploads"}}


ENGINE = Engine(
    name=NAME,
    title="WooCommerce",
    description="WordPress with WooCommerce: a complete store with products, cart, checkout and an admin area.",
    releases=RELEASES,
    steps=(
        database.STEP,
        EngineStep("install", "Installing WordPress and WooCommerce", "Job", "install"),
        EngineStep("web", "Opening the shop", "Deployment", "web"),
    ),
    secrets=(
        SecretField("admin-password", database.generate_password, revealable=True),
        *mysql.SECRETS,
        SecretField("proof-token", database.generate_password),
        *(SecretField(name, random.token_urlsafe) for name in SALTS),
    ),
    components=("web", "database", "install", "proof", "cron", "rotate"),
    setups=SETUPS,
    rotates=True,
    admin_username=ADMIN_USERNAME,
    admin_path="/wp-admin/",
    essential=("database", "web"),
    render=render,
)
