"""What a merchant can write changes values in a store's manifests, and nothing else."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stores.engines import Engine, Manifests
from stores.names import SLUG
from tests.unit.engines.rendered import ENGINES, containers, environment, leaves, objects, render, the

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80)
"""More than a merchant may write: anything but control characters."""
SLUGS = st.from_regex(SLUG, fullmatch=True)
SECRET = "what nobody may see"
PLAIN = {name: dict(leaves(objects(render(engine)))) for name, engine in ENGINES.items()}
EDGES = (
    "$(WORDPRESS_DB_PASSWORD)", "$$(STORE_ADMIN_PASSWORD)", "$", "$(", "a$$b", "{{ .Values.x }}", "'; DROP TABLE--",
    "- a: b", "yes", "null", "1e3", "&a *a", "#", "\u202e", "a\u2028b", "é\u0301", "🛒" * 80, "../../etc", "{}", "\\",
)  # fmt: skip


def expand(text: str, variables: Mapping[str, str]) -> str:
    """What Kubernetes makes of an env value: `$$` is a dollar, `$(NAME)` the variable's value if there is one."""

    def one(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", one, text)


def as_the_program_sees_it(made: Manifests, component: str, name: str) -> str:
    """The variable after Kubernetes expanded it, with every Secret's value at hand."""
    secret = {
        item["name"]: SECRET for container in containers(made) for item in container["env"] if "valueFrom" in item
    }
    plain = environment(made, component)
    return expand(plain[name], {**secret, **plain})


def changed(engine: Engine = ENGINES["woocommerce"], **changes: Any) -> dict[str, Any]:
    """Where the manifests differ from the plain store's, and what is there. They may not differ in shape."""
    found, plain = dict(leaves(objects(render(engine, **changes)))), PLAIN[engine.name]
    assert found.keys() == plain.keys()
    return {path: value for path, value in found.items() if value != plain[path]}


DESCRIBED = {name: f"/{objects(render()).index(the(render(), 'ConfigMap', 'store'))}/data/{name}" for name in
             ("name", "adminEmail", "slug")}  # fmt: skip
"""Where the namespace keeps what its store is: as it was written, since nothing expands it."""


def install_variable(name: str) -> str:
    """Where its value stands."""
    made = render()
    assert made.install is not None
    env = made.install["spec"]["template"]["spec"]["containers"][0]["env"]
    [number] = [number for number, item in enumerate(env) if item["name"] == name]
    return f"/{objects(made).index(made.install)}/spec/template/spec/containers/0/env/{number}/value"


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@given(title=WORDS, email=WORDS)
@settings(max_examples=60, deadline=None)
def test_title_and_address_are_only_values_of_variables(engine: Engine, title: str, email: str) -> None:
    variables = {item["name"]: SECRET for container in containers(render(engine)) for item in container["env"]}
    for path, value in changed(engine, name=title, admin_email=email).items():
        if path in DESCRIBED.values():
            assert value in (title, email)
        else:
            assert re.fullmatch(r".*/containers/\d+/env/\d+/value", path), path
            assert expand(value, variables) in (title, email)


def test_edges_of_both() -> None:
    places = {install_variable("STORE_TITLE"), install_variable("STORE_ADMIN_EMAIL")}
    places |= {DESCRIBED["name"], DESCRIBED["adminEmail"]}
    for text in EDGES:
        made = render(name=text, admin_email=text)
        assert changed(name=text, admin_email=text).keys() == places
        assert as_the_program_sees_it(made, "install", "STORE_TITLE") == text
        assert as_the_program_sees_it(made, "install", "STORE_ADMIN_EMAIL") == text


def test_what_is_written_as_yaml_reads_the_same() -> None:
    made = render(name="".join(EDGES), admin_email="\n".join(EDGES))
    assert list(yaml.safe_load_all(yaml.safe_dump_all(objects(made), allow_unicode=True))) == objects(made)


def test_without_escaping_a_title_would_show_a_secret() -> None:
    assert expand("$(WORDPRESS_DB_PASSWORD)", {"WORDPRESS_DB_PASSWORD": SECRET}) == SECRET


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@given(slug=SLUGS)
@example(slug="a" * 40)
@settings(max_examples=30, deadline=None)
def test_a_slug_is_only_in_the_address(engine: Engine, slug: str) -> None:
    made, places = render(engine, slug=slug), changed(engine, slug=slug)
    assert set(places.values()) <= {slug, f"{slug}.shops.example.com", f"http://{slug}.shops.example.com"}
    route = objects(made).index(the(made, "Ingress", "web"))
    hosts = {"/0/metadata/annotations/storefleet.dev/host", f"/{route}/spec/rules/0/host"}
    assert {path for path in places if not path.endswith("/value")} <= {*hosts, DESCRIBED["slug"]}
