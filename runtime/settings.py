"""All settings of all processes. They come only from environment variables with the prefix STOREFLEET_."""

import sys
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.database_url import url_problem
from runtime.sealing import Keyring
from runtime.setting_types import (
    ORIGIN,
    CommaSeparated,
    check_cluster_issuer,
    check_dns_name,
    check_gateway_listener,
    check_goes_with_oidc,
    check_language_tags,
    check_networks,
    check_oidc_domains,
    check_oidc_issuer,
    check_origins,
    check_plans,
    check_smtp,
    check_wildcard_certificate,
)

ENV_PREFIX = "STOREFLEET_"


class ClusterProfile(BaseSettings):
    """What manifests depend on in their cluster. Part of a store's spec: a change updates every store."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True)

    base_domain: Annotated[str, AfterValidator(check_dns_name)] = "localhost"
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
    gateway_listener: Annotated[str, AfterValidator(check_gateway_listener)] | None = None
    """The Gateway's listener (`sectionName`) for the HTTPRoutes. None: every listener that accepts them."""
    cluster_issuer: Annotated[str, AfterValidator(check_cluster_issuer)] | None = None
    """The cert-manager ClusterIssuer that signs a certificate for each store's Ingress."""
    wildcard_certificate: Annotated[str, AfterValidator(check_wildcard_certificate)] | None = None
    """The certificate for the Ingresses of all stores: `default` is the ingress controller's default certificate,
    `namespace/name` is a Secret that Contour may use (TLSCertificateDelegation)."""
    storage_class: str | None = None
    """None: the cluster's default StorageClass."""
    smtp_url: Annotated[SecretStr, AfterValidator(check_smtp)] | None = None
    """The stores' mail server, `smtps://user:password@host:465?from=address`; `smtp://` uses STARTTLS if the server
    offers it. Only workers need it. None: stores send no mail."""
    plugins: Annotated[CommaSeparated, AfterValidator(check_plans)] = ()
    """Plans with which owners may install WooCommerce plugins and themes. That code runs in the store's own pods."""
    image_registry: str = "storefleet"
    """Prefix of our store images: `<image_registry>/woocommerce:<release>`, and `/medusa:<release>`."""
    database_image: str = "mysql:8.4"
    """MySQL or MariaDB."""
    postgres_image: str = "postgres:18"
    valkey_image: str = "valkey/valkey:9"
    """For MedusaJS stores of the large plan."""
    worker_service_account: str = "storefleet/storefleet-worker"
    """`namespace/name`, bound to `manager_role` in each store's namespace."""
    manager_role: Annotated[str, AfterValidator(check_dns_name)] = "storefleet-store-manager"
    """The ClusterRole that workers bind to their service account in each store's namespace."""


class EngineSettings(BaseSettings):
    """The engines of this installation. A separate class, because the GraphQL schema needs it at import time."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True)

    engines: CommaSeparated = ("workers.engines.woocommerce", "workers.engines.medusa")
    """Modules that define `ENGINE`, in the order in which the API lists them."""


class Settings(EngineSettings):
    """All other settings."""

    environment: Literal["development", "production"] = "production"
    database_url: SecretStr
    """As libpq has them (runtime/database_url.py), e.g. `postgresql://user:password@host:port/name?sslmode=require`."""
    database_listen_url: SecretStr | None = None
    """The URL of the server itself, for LISTEN, migrations and commands. Set it if `database_url` leads to a pooler."""
    api_database_url: SecretStr | None = None
    """For `storefleet migrate`: the URL with the API's own user. It gets the rights of an API process, no others."""
    worker_database_url: SecretStr | None = Field(default=None, validate_default=True)
    """The same for workers. Both are set, or neither: then all processes use the role that owns the tables."""
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
    trusted_proxies: Annotated[CommaSeparated, AfterValidator(check_networks)] = (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1",
    )  # fmt: skip
    """Addresses or networks whose X-Forwarded-For header is trusted. Must include the ingress controller."""
    cors_origins: Annotated[CommaSeparated, AfterValidator(check_origins)] = ()
    """Origins whose pages may call the API with an API token. Never with the session cookie."""
    max_connections: int = Field(default=20_000, ge=1)
    """Per API process, WebSockets included. Further connections get 503."""
    max_websockets: int = Field(default=10_000, ge=1)
    """Per API process. Further WebSockets get 429."""
    max_websockets_per_address: int = Field(default=1000, ge=1)
    """Per client address, in one API process. Further WebSockets get 429."""
    introspection: Literal["open", "closed"] = "open"
    """Whether the schema may be asked for, and errors suggest names (`Did you mean …?`)."""
    trusted_documents: Path | None = None
    """A folder of `*.json` files with documents by their sha256. The dashboard's are always trusted."""
    accepted_documents: Literal["all", "trusted"] = "all"
    """`trusted`: all other documents are refused."""
    points_per_request: int = Field(default=1000, ge=1)
    """The most that one GraphQL operation may cost. docs/API.md has the formula."""
    points_per_minute: int = Field(default=10_000, ge=1)
    """Points of a token or a signed-in user. Further requests get 429 until points have come back."""
    account_points_per_minute: int = Field(default=30_000, ge=1)
    """Points of all tokens of an account together."""
    anonymous_points_per_minute: int = Field(default=2000, ge=1)
    """Points of all anonymous requests from one address, in each API process."""
    drain_seconds: float = Field(default=0, ge=0, le=300)
    """How long an API process that ends still accepts connections, while /readyz says that it isn't ready."""
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of /metrics, and of a worker's /healthz and /readyz. None: the API serves /metrics on its public port."""
    sign_up: Literal["open", "closed"] = "closed"
    oidc_issuer: Annotated[str, AfterValidator(check_oidc_issuer)] | None = None
    """The OpenID provider with which users can sign in, beside passwords. It needs `public_url`."""
    oidc_client_id: Annotated[str | None, AfterValidator(check_goes_with_oidc), Field(validate_default=True)] = None
    oidc_client_secret: SecretStr | None = None
    """Only the API needs it. None: a public client."""
    oidc_domains: Annotated[CommaSeparated, AfterValidator(check_oidc_domains), Field(validate_default=True)] = ()
    """Domains of e-mail addresses that the provider decides about. Users of other domains can't sign in with it."""
    oidc_name: str = Field(default="single sign-on", pattern=r"^[^\x00-\x1f\x7f]{1,40}$")
    """The provider's name on the sign-in page: `Continue with …`."""
    session_days: int = Field(default=14, ge=1, le=365)
    audit_days: int = Field(default=365, ge=30, le=36_500)
    """How long entries of the audit log are kept. The database refuses to delete any that is younger than 30 days."""
    store_quota: int = Field(default=5, ge=0, le=10_000)
    languages: Annotated[CommaSeparated, AfterValidator(check_language_tags)] = ("en-US",)
    """Languages of new stores, as BCP 47 tags, the default first. The engines' images must contain them."""
    creations_per_hour: int = Field(default=3, ge=0, le=100_000)

    cluster: str = Field(default="main", pattern=r"^[a-z0-9-]{1,40}$")
    """The name of this worker's cluster in the column stores.cluster."""
    kubeconfig: Path | None = None
    """None: the worker pod's service account."""
    kube_context: str | None = None
    admission_policy: Annotated[str, AfterValidator(check_dns_name)] = "storefleet-fence"
    """The ValidatingAdmissionPolicy that limits the workers' service account. In production it must be in force."""
    failure_patience: float = Field(default=60, ge=0, le=3600)
    """Seconds that a retryable problem (an image pull, a crash loop) may last before the store is FAILED."""
    step_timeout: float = Field(default=600, ge=1, le=7200)
    """Seconds that one step may take before the store is FAILED."""
    provisioning_at_once: int = Field(default=20, ge=1, le=10_000)
    """Maximum number of PROVISIONING stores per cluster. Others wait in REQUESTED, the oldest first."""
    worker_concurrency: int = Field(default=20, ge=1, le=500)
    """Maximum number of concurrent reconcile passes per worker."""
    webhooks_at_once: int = Field(default=50, ge=2, le=1000)
    """Maximum number of webhooks per worker whose messages are sent at the same time."""
    webhook_private_networks: Annotated[CommaSeparated, AfterValidator(check_networks)] = ()
    """Addresses or networks to which webhooks may be sent beside public ones, and then also with `http`."""

    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("admin_keys", "worker_keys")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            Keyring.parse(value.get_secret_value())
        return value

    @field_validator("database_url", "database_listen_url", "api_database_url", "worker_database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (problem := url_problem(value.get_secret_value())):
            raise ValueError(problem)
        return value

    @field_validator("worker_database_url")
    @classmethod
    def _both_roles(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "api_database_url" in info.data and (value is None) != (info.data["api_database_url"] is None):
            raise ValueError("set both this and STOREFLEET_API_DATABASE_URL, or neither")
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

    @property
    def origin(self) -> str:
        """The dashboard's origin, for links."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def has_pooler(self) -> bool:
        """Whether `database_url` leads through a transaction pooler."""
        return self.database_listen_url is not None

    @property
    def direct_database_url(self) -> SecretStr:
        """A URL of the server itself, without a pooler."""
        return self.database_listen_url or self.database_url


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
