"""All problems of the environment are reported together, by variable name, without secrets."""

import subprocess
import sys
from pathlib import Path

import pytest

from runtime.sealing import generate_key
from runtime.settings import (
    ENV_PREFIX,
    ClusterProfile,
    Settings,
    SettingsError,
    load_cluster_profile,
    load_settings,
    load_settings_or_exit,
)
from tests.support.waiting import HANG_SECONDS

ROOT = Path(__file__).parents[3]
KEY = generate_key()
GOOD = {
    "DATABASE_URL": "postgresql://me:database-secret@db.example.com/fleet",
    "REDIS_URL": "redis://:redis-secret@redis.example.com:6379/0",
    "ADMIN_KEYS": KEY,
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`load_settings` and `load_cluster_profile` read only once per process."""
    for name in (*Settings.model_fields, *ClusterProfile.model_fields):
        monkeypatch.delenv(f"{ENV_PREFIX}{name.upper()}", raising=False)
    load_settings.cache_clear()
    load_cluster_profile.cache_clear()


def environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in (GOOD | values).items():
        monkeypatch.setenv(f"{ENV_PREFIX}{name}", value)


def problems(monkeypatch: pytest.MonkeyPatch, **values: str) -> list[str]:
    environment(monkeypatch, **values)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    return str(refusal.value).splitlines()


def test_three_variables_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    settings = load_settings()
    assert settings.database_url.get_secret_value() == GOOD["DATABASE_URL"]
    assert settings.environment == "production"
    assert settings.sign_up == "closed"
    assert (settings.store_quota, settings.creations_per_hour) == (5, 3)
    assert settings.worker_keys is None
    assert load_cluster_profile() == ClusterProfile()


def test_whats_set_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(
        monkeypatch,
        ENGINES="one , two.three,",
        KUBECONFIG="/etc/kube",
        BASE_DOMAIN="stores.example.com",
        PLUGINS="medium, large",
        LANGUAGES="de-DE,ar",
    )
    settings = load_settings()
    assert settings.engines == ("one", "two.three")
    assert settings.languages == ("de-DE", "ar")
    assert settings.kubeconfig == Path("/etc/kube")
    assert (load_cluster_profile().base_domain, load_cluster_profile().plugins) == (
        "stores.example.com",
        ("medium", "large"),
    )


def test_all_problems_are_told_at_once_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "DATABASE_URL": "mysql://me:database-secret@db",
        "REDIS_URL": "http://redis-secret@redis",
        "ADMIN_KEYS": "k1:c2VjcmV0",
        "WORKER_KEYS": f"{KEY},{KEY}",
        "PORT": "99999",
        "LOG_LEVEL": "loud-secret",
        "CLUSTER": "Not A Name",
        "STORE_QUOTA": "many",
        "BASE_DOMAIN": "Stores_secret",
        "PUBLIC_URL": "fleet.secret.example.com",
        "ROUTING": "mesh",
    }
    messages = problems(monkeypatch, **wrong)
    assert {line.partition(":")[0].removeprefix(ENV_PREFIX) for line in messages} == set(wrong)
    assert len(messages) == len(wrong)
    text = "\n".join(messages)
    for secret in ("secret", "c2VjcmV0", KEY.partition(":")[2], "many", "mesh", "99999"):
        assert secret not in text


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert str(refusal.value).splitlines() == [
        "STOREFLEET_DATABASE_URL: Field required",
        "STOREFLEET_REDIS_URL: Field required",
        "STOREFLEET_ADMIN_KEYS: Field required",
    ]


@pytest.mark.parametrize("domain", ["", "Example.com", "example..com", "-a.com", "a-.com", "a b", "é.com", "a" * 64])
def test_a_base_domain_is_a_dns_name(monkeypatch: pytest.MonkeyPatch, domain: str) -> None:
    assert problems(monkeypatch, BASE_DOMAIN=domain) == [
        "STOREFLEET_BASE_DOMAIN: must be a lower-case DNS name such as stores.example.com"
    ]


@pytest.mark.parametrize("languages", ["", " , ", "en_US", "en", "en-us", "de-DE,ar,de-DE", "de-DE;ar", "Deutsch"])
def test_languages_are_tags(monkeypatch: pytest.MonkeyPatch, languages: str) -> None:
    assert problems(monkeypatch, LANGUAGES=languages) == [
        "STOREFLEET_LANGUAGES: must be languages of WordPress, each once, such as en-US,de-DE,ar"
    ]


@pytest.mark.parametrize("proxies", ["ingress", "10.0.0.1/8", "10.0.0.0/8,*", "10.0.0.0/33", "fe80::1%eth0/64"])
def test_proxies_are_addresses(monkeypatch: pytest.MonkeyPatch, proxies: str) -> None:
    assert problems(monkeypatch, TRUSTED_PROXIES=proxies) == [
        "STOREFLEET_TRUSTED_PROXIES: must be addresses or networks, such as 10.0.0.0/8,192.0.2.1"
    ]


@pytest.mark.parametrize("plans", ["big", "Large", "medium;large", "medium,all"])
def test_plugins_are_for_plans(monkeypatch: pytest.MonkeyPatch, plans: str) -> None:
    assert problems(monkeypatch, PLUGINS=plans) == [
        "STOREFLEET_PLUGINS: must be plans (small, medium, large), such as medium,large"
    ]


@pytest.mark.parametrize(
    "url",
    [
        *("", "mail.example.com", "smtp:mail.example.com", "https://mail.example.com", "smtps://", "smtps://:secret@"),
        *("smtps://mail.example.com:0", "smtps://mail.example.com:99999", "smtps://mail.example.com/path"),
        *("smtps://mail.example.com?to=x@example.com", "smtps://mail.example.com?from", "smtps://[::1]"),
        *(
            "smtps://mail.example.com?from=shop",
            "smtps://mail.example.com?from=shop+1@example.com",
            "smtps://Mail.example",
        ),
        *("smtps://me:12#3@mail.example.com", "smtps://me@mail.example.com", "smtp://relay.mail.svc.", "smtps://a b.c"),
        *("smtps://mail.example.com\n", "smtps://me:a/b@mail.example.com"),
    ],
)
def test_a_mail_server_is_a_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert problems(monkeypatch, SMTP_URL=url) == [
        "STOREFLEET_SMTP_URL: must be such as smtps://user:password@mail.example.com:465?from=shop@example.com"
    ]


@pytest.mark.parametrize(
    "url", ["smtp://relay.mail.svc:25", "smtps://a:-secret%23@b.example/?from=shop%2B1@example.com"]
)
def test_a_mail_server_can_be_had_in_several_ways(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    environment(monkeypatch, SMTP_URL=url)
    load_settings()
    found = load_cluster_profile()
    assert found.smtp_url is not None
    assert found.smtp_url.get_secret_value() == url
    assert "-secret" not in f"{found!r} {found} {found.model_dump_json()}"


TLS = {"BASE_DOMAIN": "stores.example.com", "STORE_SCHEME": "https"}


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("CLUSTER_ISSUER", TLS | {"CLUSTER_ISSUER": "Let's Encrypt"}, "must be the name of a ClusterIssuer"),
        ("CLUSTER_ISSUER", {"CLUSTER_ISSUER": "ca"}, "needs STOREFLEET_STORE_SCHEME=https"),
        ("CLUSTER_ISSUER", TLS | {"CLUSTER_ISSUER": "ca", "ROUTING": "gateway"}, "needs STOREFLEET_ROUTING=ingress"),
        *(
            ("WILDCARD_CERTIFICATE", TLS | {"WILDCARD_CERTIFICATE": text}, "must be default, or a Secret's")
            for text in ("", "wildcard", "edge/", "/wildcard", "a/b/c", "Edge/wildcard", "a.b/wildcard", "Default")
        ),
        ("WILDCARD_CERTIFICATE", TLS | {"WILDCARD_CERTIFICATE": "a/b", "CLUSTER_ISSUER": "ca"}, "choose one of them"),
        ("WILDCARD_CERTIFICATE", TLS | {"WILDCARD_CERTIFICATE": "a/b", "STORE_SCHEME": "http"}, "STORE_SCHEME=https"),
        ("WILDCARD_CERTIFICATE", TLS | {"WILDCARD_CERTIFICATE": "default", "ROUTING": "gateway"}, "ROUTING=ingress"),
        ("WILDCARD_CERTIFICATE", TLS | {"WILDCARD_CERTIFICATE": "a/b", "BASE_DOMAIN": "localhost"}, "with a dot"),
        ("GATEWAY_LISTENER", {"GATEWAY_LISTENER": "https"}, "needs STOREFLEET_ROUTING=gateway"),
        ("GATEWAY_LISTENER", {"GATEWAY_LISTENER": "a b", "ROUTING": "gateway"}, "must be a listener's name"),
    ],
)
def test_tls_that_can_t_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, values: dict[str, str], why: str
) -> None:
    [message] = problems(monkeypatch, **values)
    assert message.startswith(f"{ENV_PREFIX}{name}: ")
    assert why in message


@pytest.mark.parametrize(
    "values",
    [
        TLS,
        TLS | {"CLUSTER_ISSUER": "letsencrypt"},
        TLS | {"CLUSTER_ISSUER": "ca", "BASE_DOMAIN": "localhost"},
        TLS | {"WILDCARD_CERTIFICATE": "default"},
        TLS | {"WILDCARD_CERTIFICATE": "edge/wildcard.example"},
        TLS | {"ROUTING": "gateway", "GATEWAY_LISTENER": "https"},
    ],
)
def test_tls_can_be_had_in_several_ways(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    environment(monkeypatch, **values)
    load_settings()
    assert {name: getattr(load_cluster_profile(), name.lower()) for name in values} == values


@pytest.mark.parametrize("url", ["", "fleet.example.com", "https://a/b", "https://me@a", "https://a?b", "ftp://a"])
def test_a_public_url_is_an_origin(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert problems(monkeypatch, PUBLIC_URL=url) == [
        "STOREFLEET_PUBLIC_URL: must be an origin such as https://fleet.example.com"
    ]


@pytest.mark.parametrize("url", ["https://fleet.example.com", "http://localhost:8000/", "http://127.0.0.1:1"])
def test_any_origin_may_be_the_public_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    environment(monkeypatch, PUBLIC_URL=url)
    assert load_settings().public_url == url


@pytest.mark.parametrize("url", ["redis://h:1/0", "rediss://h", "unix:///run/redis.sock"])
def test_redis_may_be_reached_in_three_ways(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    environment(monkeypatch, REDIS_URL=url)
    assert load_settings().redis_url.get_secret_value() == url


def test_secrets_dont_show_when_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, WORKER_KEYS=KEY, DATABASE_LISTEN_URL=GOOD["DATABASE_URL"])
    shown = f"{load_settings()!r} {load_settings()} {load_settings().model_dump()} {load_settings().model_dump_json()}"
    assert "-secret" not in shown
    assert KEY.partition(":")[2] not in shown


def test_a_process_that_cant_start_says_why_and_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(monkeypatch, PORT="-1", STORE_SCHEME="gopher")
    with pytest.raises(SystemExit) as exit_:
        load_settings_or_exit()
    assert exit_.value.code == 2
    output = capsys.readouterr().err
    assert output.startswith("storefleet: the settings have problems:\n")
    assert "STOREFLEET_PORT: " in output
    assert "STOREFLEET_STORE_SCHEME: " in output


def test_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    assert load_settings_or_exit() is load_settings_or_exit()


def test_the_command_line_says_it_the_same_way() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "migrate"],
        cwd=ROOT,
        env={"STOREFLEET_DATABASE_URL": "mysql://me:database-secret@db"},
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG_SECONDS,
    )
    assert done.returncode == 2
    assert "STOREFLEET_DATABASE_URL: must start with postgresql://" in done.stderr
    assert "database-secret" not in done.stderr + done.stdout
