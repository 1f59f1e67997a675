"""Values that can't go together, or that aren't fit for production, are refused with what to set."""

import re
from typing import Any

import pytest

from tests.support.chart import SCENARIOS
from tests.support.helm import Helm, HelmError

JSON = dict[str, Any]
BUNDLED = SCENARIOS["bundled"]
HTTPS = {"settings": {"publicUrl": "https://fleet.example.com"}}
REFUSED: list[tuple[JSON, str]] = [
    ({"database": {"bundled": {"enabled": False}}}, "Which PostgreSQL"),
    ({"redis": {"bundled": {"enabled": False}}}, "Which Redis or Valkey"),
    ({"database": {"url": "postgresql://a"}}, "Which PostgreSQL"),
    ({"redis": {"existingSecret": {"name": "a"}}}, "Which Redis or Valkey"),
    ({"database": {"listenUrl": "postgresql://a"}}, "database.listenUrl needs"),
    ({"oidc": {"clientSecret": "a", "existingSecret": {"name": "a"}}}, "only one of oidc.clientSecret"),
    ({"database": {"api": {"url": "a"}}}, "has a user for each process already: remove database.api"),
    ({"smtp": {"url": "smtp://a", "existingSecret": {"name": "a"}}}, "only one of smtp.url"),
    ({"ingress": {"enabled": True}}, "set settings.publicUrl"),
    ({"httpRoute": {"enabled": True, "parentRefs": [{"name": "a"}]}}, "set settings.publicUrl"),
    ({"httpRoute": {"enabled": True}, **HTTPS}, "must name the Gateway"),
    ({"api": {"autoscaling": {"enabled": True, "minReplicas": 9}}}, "must not be larger"),
    ({"api": {"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}}, "needs a request of CPU"),
    ({"api": {"drainSeconds": 30}}, "at least 50 more"),
    ({"backup": {"upload": {"to": "backup:bucket"}}}, "backup.upload.existingSecret must name"),
    ({"priorityClass": {"name": "a"}}, "priorityClass.create=false"),
    ({"databases": {}}, "databases"),
    ({"settings": {"signup": "closed"}}, "signup"),
]


@pytest.mark.parametrize(("values", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_cannot_work_is_refused(helm: Helm, values: JSON, message: str) -> None:
    with pytest.raises(HelmError, match=re.escape(message)):
        helm.render(BUNDLED, values)


URL: JSON = {"url": "postgresql://u:p@h/d"}
ROLES_REFUSED: list[tuple[JSON, str]] = [
    ({"api": URL}, "Set both database.api and database.worker"),
    ({"worker": URL}, "Set both database.api and database.worker"),
    ({"api": URL, "worker": {**URL, "existingSecret": {"name": "a"}}}, "only one of database.worker.url"),
    ({"api": URL, "worker": {"listenUrl": "a", "existingSecret": {"name": "a"}}}, "database.worker.listenUrl needs"),
    ({"api": {**URL, "listenUrl": "a"}, "worker": URL}, "for database and for database.api; without one, for neither"),
    ({"listenUrl": "a", "api": URL, "worker": URL}, "for database and for database.api; without one, for neither"),
]


@pytest.mark.parametrize(("database", "message"), ROLES_REFUSED)
def test_half_of_the_roles_is_refused(helm: Helm, database: JSON, message: str) -> None:
    with pytest.raises(HelmError, match=re.escape(message)):
        helm.render(values={"database": {**URL, **database}, "redis": {"url": "redis://h"}})


NO_SECRET: JSON = {"existingSecret": {"name": ""}}
UNFIT: list[tuple[JSON, str]] = [
    (
        {"database": {**NO_SECRET, "api": NO_SECRET, "worker": NO_SECRET, "bundled": {"enabled": True}}},
        "database.bundled has no replica",
    ),
    ({"redis": {"existingSecret": {"name": ""}, "bundled": {"enabled": True}}}, "redis.bundled has no replica"),
    *(
        (
            {"database": {"existingSecret": {"name": ""}, "url": f"postgresql://storefleet{given}@h/d"}},
            "database.url has no password",
        )
        for given in ("", ":", ":storefleet", ":Password", ":changeme")
    ),
    (
        {"database": {"api": {"url": "postgresql://api:secret@h/d", "existingSecret": {"name": ""}}}},
        "database.api.url has no password, or a default one",
    ),
    ({"redis": {"existingSecret": {"name": ""}, "url": "redis://h:6379/0"}}, "redis.url has no password"),
    ({"settings": {"publicUrl": "http://fleet.example.com"}}, "settings.publicUrl must begin with https://"),
    ({"settings": {"storeScheme": "http"}}, "settings.storeScheme must be https"),
    ({"settings": {"baseDomain": "localhost"}}, "settings.baseDomain must be"),
    ({"settings": {"baseDomain": "shops.localhost"}}, "settings.baseDomain must be"),
    ({"settings": {"signUp": "open"}}, "settings.signUp must be closed"),
    ({"settings": {"environment": "development"}}, "settings.environment must be production"),
]


@pytest.mark.parametrize(("values", "message"), UNFIT)
def test_production_refuses_it(helm: Helm, values: JSON, message: str) -> None:
    with pytest.raises(HelmError, match=re.escape(message)):
        helm.render(SCENARIOS["production"], values)
    assert helm.render(SCENARIOS["production"], {"production": False, **values})


def test_production_accepts_urls_with_good_passwords(helm: Helm) -> None:
    database = {"existingSecret": {"name": ""}, "url": "postgresql://storefleet:9Zm4xN@h/d"}
    redis = {"existingSecret": {"name": ""}, "url": "rediss://:9Zm4xN@h:6379/0"}
    assert helm.render(SCENARIOS["production"], {"database": database, "redis": redis})


def test_production_says_everything_at_once(helm: Helm) -> None:
    with pytest.raises(HelmError) as refused:
        helm.render(SCENARIOS["local"], {"production": True})
    assert str(refused.value).count("\n- ") == 5
