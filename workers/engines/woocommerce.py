"""WooCommerce stores: WordPress with WooCommerce on PHP-Apache, and MySQL or MariaDB.

Everything is applied at once. What has to wait waits where it runs: web is not ready without its database, the
install Job waits for the database. So does the proof Job, which is made while install is under way, for web.
"""

import hmac
import secrets as random
from collections.abc import Mapping
from urllib.parse import urlsplit

from runtime.settings import ClusterProfile
from stores.engines import SETUPS, Engine, EngineStep, Manifest, Manifests, SecretField, StoreSpec, next_of
from workers.engines import mysql, objects
from workers.engines.isolation import MAIL_SERVERS, WEB_SERVERS, Part, address_of, isolation, namespace
from workers.engines.pods import Resources, container, cpu_of, env, memory_of, pod, probe

NAME = "woocommerce"
RELEASES = ("2026.11",)
WEB_PORT = 8080
UPLOADS = "/var/www/html/wp-content/uploads"
CONTENT = "/var/www/content"
"""Where an owner's plugins and themes are, for stores that may have them; on the uploads' disk."""
INSTALL_SECONDS = 600
SHARES_UPLOADS = "storefleet.dev/uploads"
PROOF_TOKEN = {"STORE_PROOF_TOKEN": ("wordpress", "proof-token")}
"""With it the proof may buy what nobody else sees; web knows it to compare."""
SALTS = tuple(
    f"{kind}-{use}" for kind in ("auth", "secure-auth", "logged-in", "nonce") for use in ("key", "salt")
)  # fmt: skip


def _takes_plugins(spec: StoreSpec, profile: ClusterProfile) -> bool:
    return spec.plan.name in profile.plugins


def _parts(spec: StoreSpec, profile: ClusterProfile, smtp: Mapping[str, str]) -> dict[str, Part]:
    plan = spec.plan
    # a plugin may know a mail server of the owner's
    internet = (*WEB_SERVERS, *(MAIL_SERVERS if _takes_plugins(spec, profile) else ()))
    # somebody waits for these two, and they soon end; for cron nobody waits
    awaited, helper = (Resources(cpu, memory=256, scratch=256) for cpu in (1000, 500))
    return {
        part.name: part
        for part in (
            Part(
                "web",
                Resources(cpu_of(plan.web_cpu), memory_of(plan.web_memory), scratch=512),
                port=WEB_PORT,
                callers=("install", "proof", "cron"),
                public=True,
                internet=internet,
                mail=bool(smtp),
                disk=plan.uploads_disk,
            ),
            mysql.part(plan, callers=("web", "install", "proof", "cron", "rotate")),
            Part("install", awaited),
            Part("proof", awaited),
            Part("cron", helper, internet=internet, mail=bool(smtp)),
            Part("rotate", helper),
        )
    }


def render(spec: StoreSpec, secrets: Mapping[str, str], profile: ClusterProfile) -> Manifests:
    """A store of the given release; all that runs is in here."""
    smtp = _smtp(spec, secrets, profile)
    parts = _parts(spec, profile, smtp)
    return Manifests(
        namespace=namespace(spec, NAME, profile),
        isolation=isolation(spec, NAME, profile, list(parts.values())),
        workloads=[
            *_secrets(spec, secrets, smtp),
            mysql.config_map(spec, NAME),
            mysql.claim(spec, NAME, profile),
            objects.claim(spec, NAME, profile, "uploads", spec.plan.uploads_disk),
            mysql.service(spec, NAME),
            objects.service(spec, NAME, "web", 80),
            mysql.stateful_set(spec, NAME, profile, parts[mysql.NAME], user="wordpress"),
            objects.deployment(spec, NAME, "web", _web(spec, profile, parts["web"], smtp)),
            objects.cron_job(spec, NAME, "cron", _cron(spec, profile, parts["cron"], smtp), minutes=5),
            objects.route(spec, NAME, profile, "web", 80),
        ],
        install=objects.job(
            spec, NAME, "install", _install(spec, profile, parts["install"]), seconds=INSTALL_SECONDS, retries=3
        ),
        # it waits for the installation
        proof=objects.job(
            spec, NAME, "proof", _proof(spec, profile, parts["proof"]), seconds=INSTALL_SECONDS + 120, retries=1
        ),
        rotation=_rotation(spec, profile, parts["rotate"], secrets.get(next_of("admin-password"))),
    )


def _secrets(spec: StoreSpec, secrets: Mapping[str, str], smtp: Mapping[str, str]) -> list[Manifest]:
    """One a use, so that each container is given only what it needs."""
    wordpress = {name: secrets[name] for name in (*SALTS, "proof-token")}
    return [
        *mysql.secrets(spec, NAME, secrets),
        objects.secret(spec, NAME, "wordpress", {**wordpress, **smtp}),
        objects.secret(spec, NAME, "admin", {"password": secrets["admin-password"]}),
    ]


def _smtp(spec: StoreSpec, secrets: Mapping[str, str], profile: ClusterProfile) -> dict[str, str]:
    """The mail server's URL by its key in the Secret; empty without one, or where a plugin could read its password.

    Another URL is another key: web is replaced, and no pod can start with the old one. The digest in it needs the
    store's own token, so that nobody can try passwords against it.
    """
    if profile.smtp_url is None:
        return {}
    url = profile.smtp_url.get_secret_value()
    if urlsplit(url).password is not None and _takes_plugins(spec, profile):
        return {}
    return {f"smtp-url-{hmac.digest(secrets['proof-token'].encode(), url.encode(), 'sha256').hex()[:16]}": url}


def _wordpress(
    spec: StoreSpec,
    profile: ClusterProfile,
    part: Part,
    *,
    program: str,
    values: Mapping[str, str] | None = None,
    secrets: Mapping[str, tuple[str, str]] | None = None,
    **more: object,
) -> Manifest:
    """A container of the store's own image: web, install, proof and cron differ in the program they run."""
    salts = {f"WORDPRESS_{name.upper().replace('-', '_')}": ("wordpress", name) for name in SALTS}
    plugins = _takes_plugins(spec, profile)
    # a name that the web server never serves; some plugins look for uploads beside themselves
    content = {CONTENT: "uploads/.content", f"{CONTENT}/uploads": "uploads"} if plugins else {}
    common = {
        "WORDPRESS_DB_HOST": "database",
        "WORDPRESS_DB_NAME": "wordpress",
        "WORDPRESS_DB_USER": "wordpress",
        "STORE_URL": address_of(spec, profile),
        **({"STORE_PLUGINS": "writable"} if plugins else {}),
    }
    return container(
        part.name,
        f"{profile.image_registry}/{NAME}:{spec.release}",
        part.resources,
        env=env(
            {**common, **(values or {})},
            {
                "WORDPRESS_DB_PASSWORD": mysql.PASSWORD,
                **salts,
                **(secrets or {}),
            },
        ),
        mounts={UPLOADS: "uploads", **content},
        command=["/opt/storefleet/run", program],
        **more,  # type: ignore[arg-type]  # port, probes and stop are passed on as they are
    )


def _web(spec: StoreSpec, profile: ClusterProfile, part: Part, smtp: Mapping[str, str]) -> Manifest:
    alive = {"httpGet": {"path": "/healthz", "port": "main"}}
    ready = {"httpGet": {"path": "/readyz", "port": "main"}}
    web = _wordpress(
        spec,
        profile,
        part,
        program="web",
        secrets={**PROOF_TOKEN, **_mail(smtp)},
        port=WEB_PORT,
        probes={
            "startupProbe": probe(alive, period=1, failures=60),
            "readinessProbe": probe(ready, period=2, failures=3),
            # patient: behind a crowd of shoppers it waits for its turn, and killing the shop would help nobody
            "livenessProbe": probe(alive, period=10, failures=6, seconds=5),
        },
        # the pod leaves the Service first; the image's stop signal then lets requests in flight end
        stop=["sleep", "3"],
    )
    return pod(spec, NAME, "web", [web], volumes=[_uploads()], grace=40, beside=SHARES_UPLOADS)


def _install(spec: StoreSpec, profile: ClusterProfile, part: Part) -> Manifest:
    install = _wordpress(
        spec,
        profile,
        part,
        program="install",
        values={
            "STORE_TITLE": spec.name,
            "STORE_ADMIN_EMAIL": spec.admin_email,
            "STORE_ADMIN_USER": ENGINE.admin_username,
            "STORE_COUNTRY": spec.country,
            "STORE_CURRENCY": spec.currency,
            "STORE_LOCALE": spec.language.replace("-", "_"),
            "STORE_SETUP": spec.setup,
        },
        secrets={"STORE_ADMIN_PASSWORD": ("admin", "password")},
    )
    return _helper(spec, install)


def _proof(spec: StoreSpec, profile: ClusterProfile, part: Part) -> Manifest:
    proof = _wordpress(
        spec,
        profile,
        part,
        program="prove",
        values={"STORE_SERVICE": "http://web"},
        secrets=PROOF_TOKEN,
    )
    return _helper(spec, proof)


def _rotation(
    spec: StoreSpec, profile: ClusterProfile, part: Part, password: str | None
) -> tuple[Manifest, Manifest] | None:
    """Where there is a next password: it, and what gives it to the owner's account."""
    if password is None:
        return None
    rotate = _wordpress(
        spec,
        profile,
        part,
        program="rotate",
        values={"STORE_ADMIN_USER": ENGINE.admin_username},
        secrets={"STORE_ADMIN_PASSWORD": ("rotate", "password")},
    )
    job = objects.job(spec, NAME, "rotate", _helper(spec, rotate), seconds=120, retries=3)
    return objects.secret(spec, NAME, "rotate", {"password": password}), job


def _cron(spec: StoreSpec, profile: ClusterProfile, part: Part, smtp: Mapping[str, str]) -> Manifest:
    return _helper(spec, _wordpress(spec, profile, part, program="cron", secrets=_mail(smtp)))


def _mail(smtp: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {"STORE_SMTP_URL": ("wordpress", next(iter(smtp)))} if smtp else {}


def _helper(spec: StoreSpec, program: Manifest) -> Manifest:
    """A pod that does one thing and ends. PHP is deaf to SIGTERM; all of its programs can be killed anywhere."""
    return pod(
        spec, NAME, program["name"], [program], volumes=[_uploads()], grace=10, restart="Never", beside=SHARES_UPLOADS
    )


def _uploads() -> Manifest:
    return {"name": "uploads", "persistentVolumeClaim": {"claimName": "uploads"}}


ENGINE = Engine(
    name=NAME,
    title="WooCommerce",
    releases=RELEASES,
    steps=(
        mysql.STEP,
        EngineStep("install", "Installing WordPress and WooCommerce", "Job", "install"),
        EngineStep("web", "Opening the shop", "Deployment", "web"),
    ),
    secrets=(
        SecretField("admin-password", mysql.new_password, shown=True),
        *mysql.SECRETS,
        SecretField("proof-token", mysql.new_password),
        *(SecretField(name, random.token_urlsafe) for name in SALTS),
    ),
    workloads=("web", "database", "install", "proof", "cron", "rotate"),
    setups=SETUPS,
    rotates=True,
    admin_path="/wp-admin/",
    essential=("database", "web"),
    render=render,
)
