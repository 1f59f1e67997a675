"""From what an engine's manifests leave in a cluster, the store's row and its secrets can be made again."""

import pytest

from stores.engines import Engine
from tests.unit.engines.rendered import ENGINES, profile, render, spec, the
from workers.engines.description import read
from workers.orphans import secret_places


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_every_secret_of_every_engine_can_be_read_back(engine: Engine) -> None:
    places = secret_places(engine, spec(), profile())
    assert places.keys() == {field.name for field in engine.secrets}
    assert len(set(places.values())) == len(places)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_a_store_is_described_whole(engine: Engine) -> None:
    store = spec(name="Fig & Olive 🛒", slug="fig-olive")
    told = read(the(render(engine, name="Fig & Olive 🛒", slug="fig-olive"), "ConfigMap", "store"))
    assert told == {
        "name": "Fig & Olive 🛒",
        "slug": "fig-olive",
        "engine": engine.name,
        "release": store.release,
        "plan": store.plan.name,
        "adminEmail": store.admin_email,
        "country": store.country,
        "currency": store.currency,
        "language": store.language,
        "setup": store.setup,
    }
    assert set(read({}).values()) == {"", "en-US", "ready"}
