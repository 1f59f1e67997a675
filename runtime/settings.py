"""Every setting of every process, read from the environment (prefix STOREFLEET_) and nowhere else."""

import re
import sys
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from runtime.sealing import Keyring

ENV_PREFIX = "STOREFLEET_"
ORIGIN = re.compile(r"https?://[\w.-]+(?::\d+)?/?", re.ASCII)
LANGUAGE = re.compile(r"(?!en$)[a-z]{2,3}(-[A-Z]{2})?(-[a-z0-9]{4,10})?", re.ASCII)
"""A BCP 47 tag as WordPress has its languages: en-US, ar, pt-PT-ao90; English is always one country's."""
SMTP = re.compile(
    r"smtps?://([^\s:@/?#]+:[^\s:@/?#]+@)?(?P<host>[^\s:@/?#]+)(:(?P<port>\d{1,5}))?/?"
    r"(\?from=[\w.%-]+@[\w-]+(\.[\w-]+)+)?",
    re.ASCII,
)
PLAN_NAMES = ("small", "medium", "large")
"""Of `stores.plans`."""
DNS_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def _is_name(value: str) -> bool:
    return len(value) <= 200 and all(DNS_LABEL.fullmatch(label) for label in value.split("."))


def _require(true: bool, message: str) -> None:
    if not true:
        raise ValueError(message)


def _dns_name(value: str) -> str:
    _require(_is_name(value), "must be a lower-case DNS name such as stores.example.com")
    return value


def _listener(value: str, info: ValidationInfo) -> str:
    _require(_is_name(value), "must be a listener's name, such as https")
    _require(info.data.get("routing") != "ingress", "needs STOREFLEET_ROUTING=gateway")
    return value


def _for_ingresses(info: ValidationInfo) -> None:
    """A certificate of Ingresses needs this. What isn't in the data had a problem of its own."""
    _require(info.data.get("store_scheme") != "http", "needs STOREFLEET_STORE_SCHEME=https")
    _require(
        info.data.get("routing") != "gateway",
        "needs STOREFLEET_ROUTING=ingress: a Gateway has its certificate in its HTTPS listener",
    )


def _issuer(value: str, info: ValidationInfo) -> str:
    _require(_is_name(value), "must be the name of a ClusterIssuer, such as letsencrypt")
    _for_ingresses(info)
    return value


def _wildcard(value: str, info: ValidationInfo) -> str:
    owner, slash, name = value.partition("/")
    secret = slash and DNS_LABEL.fullmatch(owner) and _is_name(name)
    _require(value == "default" or bool(secret), "must be default, or a Secret's namespace/name")
    _for_ingresses(info)
    _require(info.data.get("cluster_issuer") is None, "can't go with STOREFLEET_CLUSTER_ISSUER: choose one of them")
    _require(
        "." in info.data.get("base_domain", "."),
        "needs a STOREFLEET_BASE_DOMAIN with a dot: clients accept no wildcard like *.localhost",
    )
    return value


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Separated by commas."""


def _tags(value: tuple[str, ...]) -> tuple[str, ...]:
    right = bool(value) and len(set(value)) == len(value) and all(LANGUAGE.fullmatch(tag) for tag in value)
    _require(right, "must be languages of WordPress's, each once, such as en-US,de-DE,ar")
    return value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for text in value:
        try:
            ip_network(text)
        except ValueError:
            raise ValueError("must be addresses or networks, such as 10.0.0.0/8,192.0.2.1") from None
    return value


def _plans(value: tuple[str, ...]) -> tuple[str, ...]:
    _require(set(value) <= set(PLAN_NAMES), f"must be plans ({', '.join(PLAN_NAMES)}), such as medium,large")
    return value


def _smtp(value: SecretStr) -> SecretStr:
    """Never says what was given: there may be a password in it."""
    url = value.get_secret_value()
    found = SMTP.fullmatch(url)
    right = found is not None and _is_name(found["host"]) and 0 < int(found["port"] or 25) < 2**16
    _require(right, "must be such as smtps://user:password@mail.example.com:465?from=shop@example.com")
    return value


class ClusterProfile(BaseSettings):
    """What rendering a store may know of the cluster it goes to. Part of the spec: a change is an update."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True)

    base_domain: Annotated[str, AfterValidator(_dns_name)] = "localhost"
    """A store's host is `<slug>.<base_domain>`."""
    store_scheme: Literal["http", "https"] = "http"
    store_port: int | None = Field(default=None, ge=1, le=65535)
    """When the ingress controller isn't on the scheme's own port."""
    routing: Literal["ingress", "gateway"] = "ingress"
    ingress_class: str | None = None
    """None: the cluster's default IngressClass."""
    ingress_namespace: str = "ingress"
    """Where the ingress controller's (or gateway's) pods run; only they may reach a store's web pods."""
    gateway: str = "storefleet/stores"
    """`namespace/name` of the Gateway that HTTPRoutes attach to."""
    gateway_listener: Annotated[str, AfterValidator(_listener)] | None = None
    """The Gateway's listener (`sectionName`) that they attach to. None: all that take them."""
    cluster_issuer: Annotated[str, AfterValidator(_issuer)] | None = None
    """cert-manager's ClusterIssuer that signs a certificate for each store's Ingress."""
    wildcard_certificate: Annotated[str, AfterValidator(_wildcard)] | None = None
    """Of all stores' Ingresses: `default`, the ingress controller's own, or `namespace/name`, a Secret that Contour is
    allowed to use for them."""
    storage_class: str | None = None
    """None: the cluster's default StorageClass."""
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp)] | None = None
    """The server by which shops send mail, `smtps://user:password@host:465?from=address`; `smtp://` begins TLS where it
    is offered. Only workers need it. None: shops send no mail."""
    plugins: Annotated[Words, AfterValidator(_plans)] = ()
    """Plans whose owners may install plugins and themes (WooCommerce): their own programs, in their own pods."""
    image_registry: str = "storefleet"
    """Prefix of our store images: `<image_registry>/woocommerce:<release>`."""
    database_image: str = "mysql:8.4"
    worker_service_account: str = "storefleet/storefleet-worker"
    """`namespace/name`, bound as store-manager in each store's namespace."""


class EngineSettings(BaseSettings):
    """Which engines this installation offers: known before anything else, because the GraphQL schema names them."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True)

    engines: Words = ("workers.engines.woocommerce", "workers.engines.medusa")
    """Modules that hold an `ENGINE`, in the order they are offered."""


class Settings(EngineSettings):
    """All problems are reported at once by `load`; secrets never appear in its messages."""

    environment: Literal["development", "production"] = "production"
    database_url: SecretStr
    """`postgresql://user:password@host:port/name`, or with `?host=/socket/folder`."""
    database_listen_url: SecretStr | None = None
    """For LISTEN only, when database_url leads through a transaction pooler. None: database_url."""
    database_pool: int = Field(default=20, ge=2, le=200)
    redis_url: SecretStr
    """`redis://host:port/0` or `unix:///path/to/socket`."""
    admin_keys: SecretStr
    """Keys that seal what may be shown (admin credentials): `id:base64,…`; the first seals, all open."""
    worker_keys: SecretStr | None = None
    """Keys that seal what stays in the cluster (database passwords, salts). Only the worker has them."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = None
    """Where browsers reach the API, e.g. https://fleet.example.com; only its origin may use the cookie.

    It has to be set when that host is one label below the base domain: all others there are stores'.
    """
    trusted_proxies: Annotated[Words, AfterValidator(_networks)] = (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1",
    )  # fmt: skip
    """Who may say by X-Forwarded-For for whom it asks: addresses or networks, the ingress controller's among them."""
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """The worker's own /metrics (the API serves its own at /metrics)."""
    sign_up: Literal["open", "closed"] = "closed"
    session_days: int = Field(default=14, ge=1, le=365)
    store_quota: int = Field(default=5, ge=0, le=10_000)
    languages: Annotated[Words, AfterValidator(_tags)] = ("en-US",)
    """Which a shop may speak, as BCP 47 tags, the default first; the engines' images have to have their files."""
    creations_per_hour: int = Field(default=3, ge=0, le=100_000)

    cluster: str = Field(default="main", pattern=r"^[a-z0-9-]{1,40}$")
    """The name this worker's cluster has in the store rows."""
    kubeconfig: Path | None = None
    """None: the service account of the pod the worker runs in."""
    kube_context: str | None = None
    failure_patience: float = Field(default=60, ge=0, le=3600)
    """Seconds that trouble which may pass by itself (an image pull, a crash loop) may last before FAILED."""
    step_timeout: float = Field(default=600, ge=1, le=7200)
    """Seconds any one step may take before FAILED."""
    provisioning_at_once: int = Field(default=20, ge=1, le=10_000)
    """Stores of a cluster that are set up at the same time; others wait in REQUESTED, the oldest request goes first."""
    worker_concurrency: int = Field(default=20, ge=1, le=500)
    """Passes that one worker runs at the same time."""

    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("admin_keys", "worker_keys")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            Keyring.parse(value.get_secret_value())
        return value

    @field_validator("database_url", "database_listen_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith("postgresql://"):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is not None and not ORIGIN.fullmatch(value):
            raise ValueError("must be an origin such as https://fleet.example.com")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return value


class SettingsError(Exception):
    """The message lists every problem, a line each, with the variable's name and no value."""


@lru_cache(maxsize=1)
def load() -> Settings:
    """The process's settings. Raises SettingsError; for the cluster's profile, too."""
    problems: list[str] = []
    settings = None
    try:
        settings = Settings()
    except ValidationError as error:
        problems += _lines(error)
    try:
        ClusterProfile()
    except ValidationError as error:
        problems += _lines(error)
    if settings is None or problems:
        raise SettingsError("\n".join(problems))
    return settings


def _lines(error: ValidationError) -> list[str]:
    return [
        f"{ENV_PREFIX}{'_'.join(str(part) for part in problem['loc']).upper()}: "
        + problem["msg"].removeprefix("Value error, ")
        for problem in error.errors(include_input=False, include_url=False)
    ]


@lru_cache(maxsize=1)
def profile() -> ClusterProfile:
    """The part of the settings that manifests depend on."""
    return ClusterProfile()


def load_or_exit() -> Settings:
    """For a process's first line: the settings, or every problem on stderr and exit code 2."""
    try:
        return load()
    except SettingsError as error:
        print(f"storefleet: the settings have problems:\n{error}\nSee .env.example.", file=sys.stderr)
        raise SystemExit(2) from None
