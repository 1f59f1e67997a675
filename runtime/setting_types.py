"""Types of settings: how an environment variable is read, and which values are refused."""

import re
from ipaddress import ip_network
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, SecretStr, ValidationInfo
from pydantic_settings import NoDecode

ORIGIN = re.compile(r"https?://[\w.-]+(?::\d+)?/?", re.ASCII)
OIDC_ISSUER = re.compile(
    r"(https://[\w.-]+(:\d+)?|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)(/[\w./~-]*)?", re.ASCII
)
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


def check_dns_name(value: str) -> str:
    """A DNS name in lower case. Raises ValueError."""
    _require(_is_dns_name(value), "must be a lower-case DNS name such as stores.example.com")
    return value


def check_gateway_listener(value: str, info: ValidationInfo) -> str:
    """The name of a listener of a Gateway. Raises ValueError."""
    _require(_is_dns_name(value), "must be a listener's name, such as https")
    _require(info.data.get("routing") != "ingress", "needs STOREFLEET_ROUTING=gateway")
    return value


def check_oidc_issuer(value: str, info: ValidationInfo) -> str:
    """The URL of an OpenID provider, exactly as its tokens have it; `http` only on this machine. Raises ValueError."""
    _require(OIDC_ISSUER.fullmatch(value) is not None, "must be a URL such as https://accounts.example.com/realm")
    _require(info.data.get("public_url", "") is not None, "needs STOREFLEET_PUBLIC_URL")
    return value


T = TypeVar("T")


def check_goes_with_oidc(value: T, info: ValidationInfo) -> T:
    """Set exactly where an OpenID provider is. Raises ValueError."""
    if "oidc_issuer" in info.data:
        has_issuer = info.data["oidc_issuer"] is not None
        _require(bool(value) or not has_issuer, "must be set with STOREFLEET_OIDC_ISSUER")
        _require(has_issuer or not value, "needs STOREFLEET_OIDC_ISSUER")
    return value


def check_oidc_domains(values: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """Domains of e-mail addresses, with an OpenID provider. Raises ValueError."""
    _require(
        all("." in value and _is_dns_name(value) for value in values),
        "must be lower-case domains such as example.com, separated by commas",
    )
    return check_goes_with_oidc(values, info)


def _require_https_ingress(info: ValidationInfo) -> None:
    """Certificate settings apply to HTTPS Ingresses only. An invalid setting is not in `info.data`: skip it."""
    _require(info.data.get("store_scheme") != "http", "needs STOREFLEET_STORE_SCHEME=https")
    _require(
        info.data.get("routing") != "gateway",
        "needs STOREFLEET_ROUTING=ingress: a Gateway has its certificate in its HTTPS listener",
    )


def check_cluster_issuer(value: str, info: ValidationInfo) -> str:
    """The name of a ClusterIssuer. Raises ValueError."""
    _require(_is_dns_name(value), "must be the name of a ClusterIssuer, such as letsencrypt")
    _require_https_ingress(info)
    return value


def check_wildcard_certificate(value: str, info: ValidationInfo) -> str:
    """`default`, or `namespace/name` of a Secret. Raises ValueError."""
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


def check_language_tags(value: tuple[str, ...]) -> tuple[str, ...]:
    """Languages of WordPress, each once. Raises ValueError."""
    valid = bool(value) and len(set(value)) == len(value) and all(LANGUAGE.fullmatch(tag) for tag in value)
    _require(valid, "must be languages of WordPress, each once, such as en-US,de-DE,ar")
    return value


def check_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses or networks. Raises ValueError."""
    for text in value:
        try:
            ip_network(text)
        except ValueError:
            raise ValueError("must be addresses or networks, such as 10.0.0.0/8,192.0.2.1") from None
    return value


def check_plans(value: tuple[str, ...]) -> tuple[str, ...]:
    """Names of plans. Raises ValueError."""
    _require(set(value) <= set(PLAN_NAMES), f"must be plans ({', '.join(PLAN_NAMES)}), such as medium,large")
    return value


def check_smtp(value: SecretStr) -> SecretStr:
    """The URL of a mail server. Raises ValueError without the value, which may include a password."""
    url = value.get_secret_value()
    match = SMTP.fullmatch(url)
    valid = match is not None and _is_dns_name(match["host"]) and 0 < int(match["port"] or 25) < 2**16
    _require(valid, "must be such as smtps://user:password@mail.example.com:465?from=shop@example.com")
    return value


def check_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    """Origins of browsers, without the last slash. Raises ValueError."""
    _require(all(ORIGIN.fullmatch(text) for text in value), "must be origins such as https://app.example.com")
    return tuple(text.rstrip("/") for text in value)
