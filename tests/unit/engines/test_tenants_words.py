"""What a merchant can write changes values in a store's manifests, and nothing else."""

import re
from collections.abc import Mapping
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stores.engines import Manifests
from stores.names import SLUG
from tests.unit.engines.rendered import containers, environment, leaves, objects, render, the

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80)
"""More than a merchant may write: anything but control characters."""
SLUGS = st.from_regex(SLUG, fullmatch=True)
SECRET = "what nobody may see"
PLAIN = dict(leaves(objects(render())))
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


def changed(**changes: Any) -> set[str]:
    """Where the manifests differ from the plain store's. They may not differ in shape."""
    found = dict(leaves(objects(render(**changes))))
    assert found.keys() == PLAIN.keys()
    return {path for path in found if found[path] != PLAIN[path]}


def install_variable(name: str) -> str:
    """Where its value stands."""
    made = render()
    assert made.install is not None
    env = made.install["spec"]["template"]["spec"]["containers"][0]["env"]
    [number] = [number for number, item in enumerate(env) if item["name"] == name]
    return f"/{objects(made).index(made.install)}/spec/template/spec/containers/0/env/{number}/value"


@given(WORDS)
@settings(max_examples=60, deadline=None)
def test_a_title_is_one_value(title: str) -> None:
    assert changed(name=title) <= {install_variable("STORE_TITLE")}
    assert as_the_program_sees_it(render(name=title), "install", "STORE_TITLE") == title


@given(WORDS)
@settings(max_examples=30, deadline=None)
def test_an_address_is_one_value(email: str) -> None:
    assert changed(admin_email=email) <= {install_variable("STORE_ADMIN_EMAIL")}
    assert as_the_program_sees_it(render(admin_email=email), "install", "STORE_ADMIN_EMAIL") == email


def test_edges_of_both() -> None:
    places = {install_variable("STORE_TITLE"), install_variable("STORE_ADMIN_EMAIL")}
    for text in EDGES:
        made = render(name=text, admin_email=text)
        assert changed(name=text, admin_email=text) == places
        assert as_the_program_sees_it(made, "install", "STORE_TITLE") == text
        assert as_the_program_sees_it(made, "install", "STORE_ADMIN_EMAIL") == text


def test_what_is_written_as_yaml_reads_the_same() -> None:
    made = render(name="".join(EDGES), admin_email="\n".join(EDGES))
    assert list(yaml.safe_load_all(yaml.safe_dump_all(objects(made), allow_unicode=True))) == objects(made)


def test_without_escaping_a_title_would_show_a_secret() -> None:
    assert expand("$(WORDPRESS_DB_PASSWORD)", {"WORDPRESS_DB_PASSWORD": SECRET}) == SECRET


@given(SLUGS)
@example("a" * 40)
@settings(max_examples=30, deadline=None)
def test_a_slug_is_only_in_the_address(slug: str) -> None:
    made = render(slug=slug)
    places = changed(slug=slug)
    values = dict(leaves(objects(made)))
    assert {values[path] for path in places} <= {f"{slug}.shops.example.com", f"http://{slug}.shops.example.com"}
    route = objects(made).index(the(made, "Ingress", "web"))
    hosts = {"/0/metadata/annotations/storefleet.dev/host", f"/{route}/spec/rules/0/host"}
    assert {path for path in places if not path.endswith("/value")} <= hosts
