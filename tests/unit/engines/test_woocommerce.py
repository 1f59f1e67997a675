"""The WooCommerce engine: components, secrets, and what changes the spec hash."""

import base64
import copy
import re
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from runtime.settings import EngineSettings
from stores.engines import Manifests, load_engines
from stores.plans import PLANS
from tests.support.rendered import (
    containers,
    environment,
    get_object,
    objects,
    of_kind,
    profile,
    render,
    template,
    templates,
)
from workers.engines import medusa
from workers.engines.woocommerce import ENGINE

CONFIG = "storefleet.dev/config"
SALTED = ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE")
UPLOADS = "/var/www/html/wp-content/uploads"
CONTENT = "/var/www/content"
WORDPRESS = ("web", "install", "proof", "cron", "rotate")


def container(manifests: Manifests, kind: str, name: str) -> dict[str, Any]:
    pod = template(get_object(manifests, kind, name))
    assert pod is not None
    [found] = pod["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def secret_variables(found: dict[str, Any]) -> set[str]:
    return {item["name"] for item in found["env"] if "valueFrom" in item}


def test_woocommerce_and_medusa_can_be_had() -> None:
    engines = load_engines(EngineSettings.model_fields["engines"].default)
    assert engines == {"woocommerce": ENGINE, "medusa": medusa.ENGINE}
    assert [(engine.title, engine.available) for engine in engines.values()] == [
        ("WooCommerce", True),
        ("MedusaJS", True),
    ]
    assert (ENGINE.admin_username, ENGINE.admin_path) == ("admin", "/wp-admin/")
    assert [step.name for step in ENGINE.steps] == ["database", "install", "web"]


def test_secrets_are_long_and_random_and_one_is_shown() -> None:
    manifests = [field.generate() for field in ENGINE.secrets]
    assert len(set(manifests)) == len(manifests) == len({field.name for field in ENGINE.secrets}) == 12
    assert all(re.fullmatch(r"[\w-]{32,}", value, re.ASCII) for value in manifests)
    assert [field.generate() for field in ENGINE.secrets] != manifests
    assert [field.name for field in ENGINE.secrets if field.revealable] == ["admin-password"]


def test_each_container_gets_only_its_secrets() -> None:
    manifests = render()
    salts = {f"WORDPRESS_{kind}_{use}" for kind in SALTED for use in ("KEY", "SALT")}
    wordpress = {"WORDPRESS_DB_PASSWORD", *salts}
    assert {item["name"]: secret_variables(item) for item in containers(manifests)} == {
        "database": {"MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD"},
        "web": {*wordpress, "STORE_PROOF_TOKEN"},
        "cron": wordpress,
        "install": {*wordpress, "STORE_ADMIN_PASSWORD"},
        "proof": {*wordpress, "STORE_PROOF_TOKEN"},
        "rotate": {*wordpress, "STORE_ADMIN_PASSWORD"},
    }


def test_what_sends_mail_is_told_by_which_server() -> None:
    def with_password(password: str, ending: str = "") -> tuple[Manifests, str]:
        url = f"smtps://shop:{password}@mail.example.com"
        manifests = render(cluster=profile(smtp_url=SecretStr(url)), ending=ending)
        keys = {
            item["valueFrom"]["secretKeyRef"]["key"]
            for found in containers(manifests)
            for item in found["env"]
            if item["name"] == "STORE_SMTP_URL"
        }
        [key] = keys
        assert base64.b64decode(get_object(manifests, "Secret", "wordpress")["data"][key]).decode() == url
        assert password not in str(objects(manifests))
        return manifests, key

    manifests, key = with_password("figs-and-olives")
    senders = {item["name"] for item in containers(manifests) if "STORE_SMTP_URL" in secret_variables(item)}
    assert senders == {"web", "cron"}
    assert with_password("figs-and-olives")[1] == key
    # another password replaces web; the keys of different stores differ
    assert len({key, with_password("others")[1], with_password("figs-and-olives", "-of-another-store")[1]}) == 3
    assert manifests.spec_hash != with_password("others")[0].spec_hash


def test_no_plugin_can_read_the_password_of_everybody_s_mail_server() -> None:
    def senders(url: str, plan: str) -> set[str]:
        manifests = render(cluster=profile(smtp_url=SecretStr(url), plugins=("medium", "large")), plan=plan)
        return {item["name"] for item in containers(manifests) if "STORE_SMTP_URL" in secret_variables(item)}

    assert senders("smtps://shop:figs@mail.example.com", "small") == {"web", "cron"}
    assert senders("smtps://shop:figs@mail.example.com", "medium") == set()
    assert senders("smtp://relay.mail.svc:25", "large") == {"web", "cron"}


def writable(manifests: Manifests) -> dict[str, dict[str, str]]:
    """For each container the writable mounts: path -> volume or volume/subPath."""
    found = {}
    for pod in templates(manifests):
        [spec] = pod["spec"]["containers"]
        written = {volume["name"] for volume in pod["spec"]["volumes"] if "configMap" not in volume}
        assert not [mount for mount in spec["volumeMounts"] if mount["name"] not in written | {"config"}]
        found[spec["name"]] = {
            item["mountPath"]: "/".join(item[component] for component in ("name", "subPath") if component in item)
            for item in spec["volumeMounts"]
            if item["name"] in written
        }
    return found


def test_writable_paths_of_each_container() -> None:
    """WordPress writes uploads only: its code and plugins are in the image."""
    assert writable(render()) == {
        # MySQL wants an empty folder, and a new disk has lost+found
        "database": {"/tmp": "tmp", "/var/lib/mysql": "data/mysql", "/var/run/mysqld": "run"},
        **{name: {"/tmp": "tmp", UPLOADS: "uploads"} for name in WORDPRESS},
    }


@pytest.mark.parametrize("plan", PLANS)
def test_plugins_are_on_the_uploads_disk_where_a_plan_has_them(plan: str) -> None:
    manifests = render(cluster=profile(plugins=("large",)), plan=plan)
    settings = {name: environment(manifests, name).get("STORE_PLUGINS") for name in WORDPRESS}
    if plan != "large":
        assert manifests == render(plan=plan)
        assert set(settings.values()) == {None}
        return
    assert set(settings.values()) == {"writable"}
    folders = {"/tmp": "tmp", UPLOADS: "uploads", CONTENT: "uploads/.content", f"{CONTENT}/uploads": "uploads"}
    assert {name: writable(manifests)[name] for name in WORDPRESS} == dict.fromkeys(WORDPRESS, folders)


def test_an_acknowledged_order_is_on_the_disk_before_it_is_acknowledged() -> None:
    config = get_object(render(), "ConfigMap", "database")["data"]["storefleet.cnf"].splitlines()
    assert {"innodb-flush-log-at-trx-commit = 1", "skip-log-bin", "skip-name-resolve"} < set(config)
    mounts = container(render(), "StatefulSet", "database")["volumeMounts"]
    assert {"name": "config", "mountPath": "/etc/mysql/conf.d"} in mounts


def test_wordpress_finds_its_database_by_its_service() -> None:
    manifests = render()
    [service] = [item for item in of_kind(manifests, "Service") if item["spec"]["ports"][0]["port"] == 3306]
    for component in ("web", "install", "proof", "cron"):
        assert environment(manifests, component)["WORDPRESS_DB_HOST"] == service["metadata"]["name"]


def test_our_image_is_of_the_release_and_the_database_s_is_a_setting() -> None:
    manifests = render(
        cluster=profile(image_registry="r.example/fleet", database_image="mariadb:11.8"), release="2027.01"
    )
    assert {item["name"]: item["image"] for item in containers(manifests)} == {
        "database": "mariadb:11.8",
        **dict.fromkeys(WORDPRESS, "r.example/fleet/woocommerce:2027.01"),
    }


def test_the_programs_that_run() -> None:
    assert {item["name"]: item.get("command") for item in containers(render())} == {
        "database": None,
        "web": ["/opt/storefleet/run", "web"],
        "install": ["/opt/storefleet/run", "install"],
        "proof": ["/opt/storefleet/run", "prove"],
        "cron": ["/opt/storefleet/run", "cron"],
        "rotate": ["/opt/storefleet/run", "rotate"],
    }


def test_what_install_and_proof_are_told() -> None:
    manifests = render(cluster=profile(store_scheme="https", store_port=8443))
    install, proof = environment(manifests, "install"), environment(manifests, "proof")
    assert {name: value for name, value in install.items() if name.startswith("STORE_")} == {
        "STORE_URL": "https://fig-olive.shops.example.com:8443",
        "STORE_TITLE": "Fig & Olive",
        "STORE_ADMIN_EMAIL": "fig@example.com",
        "STORE_ADMIN_USER": "admin",
        "STORE_COUNTRY": "DE",
        "STORE_CURRENCY": "EUR",
        "STORE_LOCALE": "de_DE",
        "STORE_SETUP": "ready",
    }
    assert environment(render(setup="wizard"), "install")["STORE_SETUP"] == "wizard"
    assert (proof["STORE_URL"], proof["STORE_SERVICE"]) == (install["STORE_URL"], "http://web")
    assert environment(render(), "web")["STORE_URL"] == "http://fig-olive.shops.example.com"


def test_the_database_is_probed_over_tcp_as_who_uses_it() -> None:
    database = container(render(), "StatefulSet", "database")
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert "--host=127.0.0.1 --user=wordpress" in database[name]["exec"]["command"][-1]
    assert environment(render(), "database")["MYSQL_ROOT_HOST"] == "localhost"


def test_web_starts_when_its_shop_is_set_up_and_lives_by_php() -> None:
    web = container(render(), "Deployment", "web")
    paths = {name: web[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/readyz", "livenessProbe": "/healthz", "readinessProbe": "/healthz"}


def test_pods_that_share_the_uploads_stay_together() -> None:
    for pod in templates(render()):
        volumes = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in pod["spec"]["volumes"]]
        rules = pod["spec"].get("affinity", {}).get("podAffinity", {})
        terms = rules.get("requiredDuringSchedulingIgnoredDuringExecution", [])
        assert ("uploads" in volumes) == bool(terms)
        for term in terms:
            assert term["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
            assert term["topologyKey"] == "kubernetes.io/hostname"


def test_crons_of_different_stores_are_spread() -> None:
    schedules = {
        get_object(render(store_id=UUID(int=number)), "CronJob", "cron")["spec"]["schedule"] for number in range(20)
    }
    assert schedules == {f"{minute}-59/5 * * * *" for minute in range(5)}


def test_only_a_change_of_its_files_replaces_the_database() -> None:
    def digest(**changes: Any) -> str:
        pod = template(get_object(render(**changes), "StatefulSet", "database"))
        assert pod is not None
        return str(pod["metadata"]["annotations"][CONFIG])

    assert len({digest(plan=plan) for plan in PLANS}) == len(PLANS)
    assert digest(name="Other", release="2027.01") == digest()


def test_disks_hold_nothing_that_an_update_would_change() -> None:
    """Of a PersistentVolumeClaim's spec only the size can change."""
    small, large = render(), render(plan="large", release="2027.01")
    for before, after in zip(
        of_kind(small, "PersistentVolumeClaim"), of_kind(large, "PersistentVolumeClaim"), strict=True
    ):
        before, after = copy.deepcopy(before["spec"]), copy.deepcopy(after["spec"])
        assert before.pop("resources") != after.pop("resources")
        assert before == after


@pytest.mark.parametrize("changes", [{"plan": "large"}, {"release": "2027.01"}, {"name": "Other"}])
def test_an_update_changes_nothing_that_can_t_be(changes: dict[str, Any]) -> None:
    before, after = render(), render(cluster=profile(database_image="mariadb:11.8"), **changes)
    assert before.namespace == after.namespace
    assert of_kind(before, "RoleBinding") == of_kind(after, "RoleBinding")
    for kind, mutable in (
        ("StatefulSet", {"template", "replicas"}),
        ("Deployment", {"template", "replicas", "strategy"}),
    ):
        for one, other in zip(of_kind(before, kind), of_kind(after, kind), strict=True):
            fixed = [{key: value for key, value in item["spec"].items() if key not in mutable} for item in (one, other)]
            assert fixed[0] == fixed[1]


def test_the_hash_is_of_all_that_runs_and_not_of_secrets() -> None:
    plain = render().spec_hash
    assert re.fullmatch(r"[0-9a-f]{64}", plain)
    assert render(ending="-rotated").spec_hash == plain
    assert render(ending="-rotated").resources != render().resources
    others: list[dict[str, Any]] = [{"name": "Other"}, {"release": "2027.01"}, {"plan": "large"}, {"slug": "other"}]
    for changes in others:
        assert render(**changes).spec_hash != plain, changes
    for change in ({"database_image": "mariadb:11.8"}, {"image_registry": "r.example"}, {"ingress_class": "traefik"}):
        assert render(cluster=profile(**change)).spec_hash != plain, change


def test_the_hash_changes_with_any_image_and_any_variable() -> None:
    plain, changes = render().spec_hash, 0
    for number, found in enumerate(containers(render())):
        for field in range(len(found["env"]) + 1):
            manifests = render()
            target = list(containers(manifests))[number]
            if field == len(found["env"]):
                target["image"] += "-other"
            else:
                target["env"][field]["name"] += "_OTHER"
            assert (manifests.spec_hash != plain) == (found["name"] != "rotate")  # the rotation isn't part of the hash
            changes += 1
    assert changes > 60


def test_the_same_input_makes_the_same_objects_each_time() -> None:
    assert objects(render()) == objects(render())
