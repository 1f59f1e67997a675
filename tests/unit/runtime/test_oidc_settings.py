"""The settings of an OpenID provider: all of them or none."""

import pytest

from runtime.settings import ENV_PREFIX, load_settings
from tests.unit.runtime.test_settings import _empty_environment, environment, problems

__all__ = ["_empty_environment"]
OIDC = {
    "PUBLIC_URL": "https://fleet.example.com",
    "OIDC_ISSUER": "https://accounts.example.com",
    "OIDC_CLIENT_ID": "fleet",
    "OIDC_DOMAINS": "example.com,shops.example",
}


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        *(
            ("OIDC_ISSUER", OIDC | {"OIDC_ISSUER": issuer}, "must be a URL such as")
            for issuer in (
                "",
                "accounts",
                "http://a.example",
                "https://a.example?b",
                "https://me@a.example",
                "https://",
            )
        ),
        ("OIDC_ISSUER", {**OIDC, "PUBLIC_URL": None}, "needs STOREFLEET_PUBLIC_URL"),
        ("OIDC_CLIENT_ID", {**OIDC, "OIDC_CLIENT_ID": None}, "must be set with STOREFLEET_OIDC_ISSUER"),
        ("OIDC_CLIENT_ID", {"OIDC_CLIENT_ID": "fleet"}, "needs STOREFLEET_OIDC_ISSUER"),
        ("OIDC_DOMAINS", {**OIDC, "OIDC_DOMAINS": None}, "must be set with STOREFLEET_OIDC_ISSUER"),
        ("OIDC_DOMAINS", {"OIDC_DOMAINS": "example.com"}, "needs STOREFLEET_OIDC_ISSUER"),
        *(
            ("OIDC_DOMAINS", OIDC | {"OIDC_DOMAINS": domains}, "must be lower-case domains")
            for domains in ("Example.com", "*", "@example.com", "com", "example.com;example.org")
        ),
        ("OIDC_NAME", OIDC | {"OIDC_NAME": ""}, "pattern"),
    ],
)
def test_an_openid_provider_is_whole(
    monkeypatch: pytest.MonkeyPatch, name: str, values: dict[str, str | None], why: str
) -> None:
    [message] = problems(monkeypatch, **{name: value for name, value in values.items() if value is not None})
    assert message.startswith(f"{ENV_PREFIX}{name}: ")
    assert why in message


@pytest.mark.parametrize("issuer", [OIDC["OIDC_ISSUER"], "https://a.example:8443/realms/b/", "http://localhost:1/c"])
def test_an_openid_provider_may_have_a_path(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    environment(monkeypatch, **OIDC | {"OIDC_ISSUER": issuer, "OIDC_CLIENT_SECRET": "marked-secret"})
    settings = load_settings()
    assert (settings.oidc_issuer, settings.oidc_domains) == (issuer, ("example.com", "shops.example"))
    assert "marked-secret" not in f"{settings!r} {settings} {settings.model_dump_json()}"
