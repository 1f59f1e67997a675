"""Text of a merchant changes values in a store's manifests, never their structure."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stores.engines import Engine, Manifests
from stores.names import SLUG
from tests.support.rendered import ENGINES, containers, environment, get_object, leaves, objects, render

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80)
"""Any text without control characters: more than a merchant may enter."""
SLUGS = st.from_regex(SLUG, fullmatch=True)
SECRET = "a secret value"
PLAIN = {name: dict(leaves(objects(render(engine)))) for name, engine in ENGINES.items()}
EDGES = (
    "$(WORDPRESS_DB_PASSWORD)", "$$(STORE_ADMIN_PASSWORD)", "$", "$(", "a$$b", "{{ .Values.x }}", "'; DROP TABLE--",
    "- a: b", "yes", "null", "1e3", "&a *a", "#", "\u202e", "a\u2028b", "é\u0301", "🛒" * 80, "../../etc", "{}", "\\",
)  # fmt: skip


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Expands an env value as Kubernetes does: `$$` is a dollar, `$(NAME)` the variable's value if there is one."""

    def one(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", one, text)


def expanded_variable(manifests: Manifests, component: str, name: str) -> str:
    """The variable's value in the container, if all Secrets could be expanded into it."""
    secret = {
        item["name"]: SECRET for container in containers(manifests) for item in container["env"] if "valueFrom" in item
    }
    plain = environment(manifests, component)
    return expand(plain[name], {**secret, **plain})


def changed(engine: Engine = ENGINES["woocommerce"], **changes: Any) -> dict[str, Any]:
    """The values that differ from the default store's, by path. The structure may not differ."""
    found, plain = dict(leaves(objects(render(engine, **changes)))), PLAIN[engine.name]
    assert found.keys() == plain.keys()
    return {path: value for path, value in found.items() if value != plain[path]}


CONFIG_MAP = objects(render()).index(get_object(render(), "ConfigMap", "store"))
CONFIG_MAP_PATHS = {name: f"/{CONFIG_MAP}/data/{name}" for name in ("name", "adminEmail", "slug")}
"""Paths in the ConfigMap `store`, which has the text as the merchant entered it."""


def install_variable(name: str) -> str:
    """The path of its value."""
    manifests = render()
    assert manifests.install is not None
    env = manifests.install["spec"]["template"]["spec"]["containers"][0]["env"]
    [number] = [number for number, item in enumerate(env) if item["name"] == name]
    return f"/{objects(manifests).index(manifests.install)}/spec/template/spec/containers/0/env/{number}/value"


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@given(title=TEXT, email=TEXT)
@settings(max_examples=60)
def test_title_and_address_are_only_values_of_variables(engine: Engine, title: str, email: str) -> None:
    variables = {item["name"]: SECRET for container in containers(render(engine)) for item in container["env"]}
    for path, value in changed(engine, name=title, admin_email=email).items():
        if path in CONFIG_MAP_PATHS.values():
            assert value in (title, email)
        else:
            assert re.fullmatch(r".*/containers/\d+/env/\d+/value", path), path
            assert expand(value, variables) in (title, email)


def test_edges_of_both() -> None:
    places = {install_variable("STORE_TITLE"), install_variable("STORE_ADMIN_EMAIL")}
    places |= {CONFIG_MAP_PATHS["name"], CONFIG_MAP_PATHS["adminEmail"]}
    for text in EDGES:
        manifests = render(name=text, admin_email=text)
        assert changed(name=text, admin_email=text).keys() == places
        assert expanded_variable(manifests, "install", "STORE_TITLE") == text
        assert expanded_variable(manifests, "install", "STORE_ADMIN_EMAIL") == text


def test_what_is_written_as_yaml_reads_the_same() -> None:
    manifests = render(name="".join(EDGES), admin_email="\n".join(EDGES))
    assert list(yaml.safe_load_all(yaml.safe_dump_all(objects(manifests), allow_unicode=True))) == objects(manifests)


def test_without_escaping_a_title_would_show_a_secret() -> None:
    assert expand("$(WORDPRESS_DB_PASSWORD)", {"WORDPRESS_DB_PASSWORD": SECRET}) == SECRET


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@given(slug=SLUGS)
@example(slug="a" * 40)
@settings(max_examples=30)
def test_a_slug_is_only_in_the_address(engine: Engine, slug: str) -> None:
    manifests, places = render(engine, slug=slug), changed(engine, slug=slug)
    assert set(places.values()) <= {slug, f"{slug}.shops.example.com", f"http://{slug}.shops.example.com"}
    route = objects(manifests).index(get_object(manifests, "Ingress", "web"))
    hosts = {"/0/metadata/annotations/storefleet.dev/host", f"/{route}/spec/rules/0/host"}
    assert {path for path in places if not path.endswith("/value")} <= {*hosts, CONFIG_MAP_PATHS["slug"]}
