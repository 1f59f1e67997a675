"""Golden files of a store's manifests: a changed manifest shows as a diff in review.

To update the files: `UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/unit/engines/test_golden.py`.
Then read the diff.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from stores.engines import Engine
from stores.plans import PLANS
from tests.support.rendered import ENGINES, objects, profile, render

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).parents[3]
GATEWAY = {"routing": "gateway", "store_scheme": "https", "database_image": "mariadb:11.8"}
VARIANTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    **{f"{engine}-{plan}": (engine, plan, {}) for engine in ("woocommerce", "medusa") for plan in PLANS},
    "woocommerce-small-gateway": ("woocommerce", "small", GATEWAY),
}
"""By file name: engine, plan, changes of the cluster's profile."""
HASH = "from tests.support.rendered import render; print(render().spec_hash)"


@pytest.fixture(scope="module", autouse=True)
def _schemas_are_read_once() -> Iterator[None]:
    """The library reads a megabyte of JSON for each object."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kubernetes_validate.utils, "schema_contents", cache(kubernetes_validate.utils.schema_contents))
        yield


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_store_is_made_of_what_is_written_down(variant: str) -> None:
    engine, plan, changes = VARIANTS[variant]
    manifests = render(ENGINES[engine], profile(**changes), plan=plan)
    text = yaml.dump_all(objects(manifests), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    file = GOLDEN / f"{variant}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text(), "the manifests changed; if that is intended, see the first lines of this file"


class _Plain(yaml.SafeDumper):
    """Without YAML anchors and aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize("plan", PLANS)
def test_kubernetes_knows_every_field(engine: Engine, plan: str) -> None:
    cluster = profile(ingress_class="traefik", storage_class="fast", cluster_issuer="letsencrypt")
    for item in objects(render(engine, cluster, plan=plan)):
        kubernetes_validate.validate(item, "1.37", strict=True)


def test_the_validation_can_fail() -> None:
    manifests = render()
    manifests.proof["spec"]["template"]["spec"]["containers"][0]["securityContext"]["readonlyRootFilesystem"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifests.proof, "1.37", strict=True)


def test_another_process_makes_the_same() -> None:
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", HASH],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.strip() == render().spec_hash


def test_every_plan_is_written_down() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(VARIANTS)
