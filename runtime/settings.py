"""All settings of all processes. They come only from environment variables with the prefix STOREFLEET_."""

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
"""A BCP 47 tag of a WordPress locale: en-US, ar, pt-PT-ao90. English always has a country."""
SMTP = re.compile(
    r"smtps?://([^\s:@/?#]+:[^\s:@/?#]+@)?(?P<host>[^\s:@/?#]+)(:(?P<port>\d{1,5}))?/?"
    r"(\?from=[\w.%-]+@[\w-]+(\.[\w-]+)+)?",
    re.ASCII,
)
PLAN_NAMES = ("small", "medium", "large")
"""The names in stores/plans.py; a unit test compares them."""
DNS_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def _is_dns_name(value: str) -> bool:
    return len(value) <= 200 and all(DNS_LABEL.fullmatch(label) for label in value.split("."))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _dns_name(value: str) -> str:
    _require(_is_dns_name(value), "must be a lower-case DNS name such as stores.example.com")
    return value


def _gateway_listener(value: str, info: ValidationInfo) -> str:
    _require(_is_dns_name(value), "must be a listener's name, such as https")
    _require(info.data.get("routing") != "ingress", "needs STOREFLEET_ROUTING=gateway")
    return value


def _require_https_ingress(info: ValidationInfo) -> None:
    """Certificate settings apply to HTTPS Ingresses only. An invalid setting is not in `info.data`: skip it."""
    _require(info.data.get("store_scheme") != "http", "needs STOREFLEET_STORE_SCHEME=https")
    _require(
        info.data.get("routing") != "gateway",
        "needs STOREFLEET_ROUTING=ingress: a Gateway has its certificate in its HTTPS listener",
    )


def _cluster_issuer(value: str, info: ValidationInfo) -> str:
    _require(_is_dns_name(value), "must be the name of a ClusterIssuer, such as letsencrypt")
    _require_https_ingress(info)
    return value


def _wildcard_certificate(value: str, info: ValidationInfo) -> str:
    namespace, slash, name = value.partition("/")
    secret = slash and DNS_LABEL.fullmatch(namespace) and _is_dns_name(name)
    _require(value == "default" or bool(secret), "must be default, or a Secret's namespace/name")
    _require_https_ingress(info)
    _require(info.data.get("cluster_issuer") is None, "can't go with STOREFLEET_CLUSTER_ISSUER: choose one of them")
    _require(
        "." in info.data.get("base_domain", "."),
        "needs a STOREFLEET_BASE_DOMAIN with a dot: clients accept no wildcard like *.localhost",
    )
    return value


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A tuple, separated by commas in the environment variable."""


def _language_tags(value: tuple[str, ...]) -> tuple[str, ...]:
    valid = bool(value) and len(set(value)) == len(value) and all(LANGUAGE.fullmatch(tag) for tag in value)
    _require(valid, "must be languages of WordPress's, each once, such as en-US,de-DE,ar")
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
    """The message never contains the value, which may include a password."""
    url = value.get_secret_value()
    match = SMTP.fullmatch(url)
    valid = match is not None and _is_dns_name(match["host"]) and 0 < int(match["port"] or 25) < 2**16
    _require(valid, "must be such as smtps://user:password@mail.example.com:465?from=shop@example.com")
    return value


class ClusterProfile(BaseSettings):
    """What manifests depend on in their cluster. Part of a store's spec: a change updates every store."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True)

    base_domain: Annotated[str, AfterValidator(_dns_name)] = "localhost"
    """A store's host is `<slug>.<base_domain>`."""
    store_scheme: Literal["http", "https"] = "http"
    store_port: int | None = Field(default=None, ge=1, le=65535)
    """The ingress controller's port, if it is not the scheme's default port."""
    routing: Literal["ingress", "gateway"] = "ingress"
    ingress_class: str | None = None
    """None: the cluster's default IngressClass."""
    ingress_namespace: str = "ingress"
    """Namespace of the ingress controller's (or gateway's) pods. Only these pods may reach a store's web pods."""
    gateway: str = "storefleet/stores"
    """`namespace/name` of the parent Gateway of the HTTPRoutes."""
    gateway_listener: Annotated[str, AfterValidator(_gateway_listener)] | None = None
    """The Gateway's listener (`sectionName`) for the HTTPRoutes. None: every listener that accepts them."""
    cluster_issuer: Annotated[str, AfterValidator(_cluster_issuer)] | None = None
    """The cert-manager ClusterIssuer that signs a certificate for each store's Ingress."""
    wildcard_certificate: Annotated[str, AfterValidator(_wildcard_certificate)] | None = None
    """The certificate for the Ingresses of all stores: `default` is the ingress controller's default certificate,
    `namespace/name` is a Secret that Contour may use (TLSCertificateDelegation)."""
    storage_class: str | None = None
    """None: the cluster's default StorageClass."""
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp)] | None = None
    """The stores' mail server, `smtps://user:password@host:465?from=address`; `smtp://` uses STARTTLS if the server
    offers it. Only workers need it. None: stores send no mail."""
    plugins: Annotated[CommaSeparated, AfterValidator(_plans)] = ()
    """Plans with which owners may install WooCommerce plugins and themes. That code runs in the store's own pods."""
    image_registry: str = "storefleet"
    """Prefix of our store images: `<image_registry>/woocommerce:<release>`."""
    database_image: str = "mysql:8.4"
    worker_service_account: str = "storefleet/storefleet-worker"
    """`namespace/name`, bound as store-manager in each store's namespace."""


class EngineSettings(BaseSettings):
    """The engines of this installation. A class of its own, because the GraphQL schema needs it at import time."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True)

    engines: CommaSeparated = ("workers.engines.woocommerce", "workers.engines.medusa")
    """Modules that define `ENGINE`, in the order in which the API lists them."""


class Settings(EngineSettings):
    """All other settings."""

    environment: Literal["development", "production"] = "production"
    database_url: SecretStr
    """`postgresql://user:password@host:port/name`, or with `?host=/socket/folder`."""
    database_listen_url: SecretStr | None = None
    """For LISTEN only, if database_url is that of a transaction pooler. None: database_url."""
    database_pool: int = Field(default=20, ge=2, le=200)
    redis_url: SecretStr
    """`redis://host:port/0` or `unix:///path/to/socket`."""
    admin_keys: SecretStr
    """Keys for secrets that the API may reveal (admin credentials): `id:base64,…`. The first seals, all unseal."""
    worker_keys: SecretStr | None = None
    """Keys for secrets that only workers use (database passwords, salts). The API doesn't have these keys."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = None
    """The API's URL for browsers, e.g. https://fleet.example.com. Only this origin may use the session cookie.

    Required if the API's host is one label below the base domain: all other hosts there belong to stores.
    """
    trusted_proxies: Annotated[CommaSeparated, AfterValidator(_networks)] = (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1",
    )  # fmt: skip
    """Addresses or networks whose X-Forwarded-For header is trusted. Must include the ingress controller."""
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of the worker's /metrics. The API serves /metrics on its own port."""
    sign_up: Literal["open", "closed"] = "closed"
    session_days: int = Field(default=14, ge=1, le=365)
    store_quota: int = Field(default=5, ge=0, le=10_000)
    languages: Annotated[CommaSeparated, AfterValidator(_language_tags)] = ("en-US",)
    """Languages of new stores, as BCP 47 tags, the default first. The engines' images must contain them."""
    creations_per_hour: int = Field(default=3, ge=0, le=100_000)

    cluster: str = Field(default="main", pattern=r"^[a-z0-9-]{1,40}$")
    """The name of this worker's cluster in the column stores.cluster."""
    kubeconfig: Path | None = None
    """None: the worker pod's service account."""
    kube_context: str | None = None
    failure_patience: float = Field(default=60, ge=0, le=3600)
    """Seconds that a retryable problem (an image pull, a crash loop) may last before the store is FAILED."""
    step_timeout: float = Field(default=600, ge=1, le=7200)
    """Seconds that one step may take before the store is FAILED."""
    provisioning_at_once: int = Field(default=20, ge=1, le=10_000)
    """Maximum number of PROVISIONING stores per cluster. Others wait in REQUESTED, the oldest first."""
    worker_concurrency: int = Field(default=20, ge=1, le=500)
    """Maximum number of concurrent reconcile passes per worker."""

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
    """The message has one line per problem, with the variable's name and without its value."""


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """The process's settings, read once. Raises SettingsError with all problems, those of ClusterProfile too."""
    problems: list[str] = []
    settings = None
    try:
        settings = Settings()
    except ValidationError as error:
        problems += _problem_lines(error)
    try:
        ClusterProfile()
    except ValidationError as error:
        problems += _problem_lines(error)
    if settings is None or problems:
        raise SettingsError("\n".join(problems))
    return settings


def _problem_lines(error: ValidationError) -> list[str]:
    return [
        f"{ENV_PREFIX}{'_'.join(str(part) for part in problem['loc']).upper()}: "
        + problem["msg"].removeprefix("Value error, ")
        for problem in error.errors(include_input=False, include_url=False)
    ]


@lru_cache(maxsize=1)
def load_cluster_profile() -> ClusterProfile:
    """The process's ClusterProfile, read once."""
    return ClusterProfile()


def load_settings_or_exit() -> Settings:
    """The settings. Prints all problems to stderr and exits with code 2 if there are any."""
    try:
        return load_settings()
    except SettingsError as error:
        print(f"storefleet: the settings have problems:\n{error}\nSee .env.example.", file=sys.stderr)
        raise SystemExit(2) from None
