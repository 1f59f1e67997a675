"""A store's row and its secrets can be restored from the objects of its namespace."""

import pytest

from stores.engines import Engine
from tests.support.rendered import ENGINES, get_object, profile, render, spec
from workers.adoption import secret_locations
from workers.engines.description import read_store_config_map


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_every_secret_of_every_engine_can_be_read_back(engine: Engine) -> None:
    places = secret_locations(engine, spec(), profile())
    assert places.keys() == {field.name for field in engine.secrets}
    assert len(set(places.values())) == len(places)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_a_store_is_described_whole(engine: Engine) -> None:
    store = spec(name="Fig & Olive 🛒", slug="fig-olive")
    values = read_store_config_map(
        get_object(render(engine, name="Fig & Olive 🛒", slug="fig-olive"), "ConfigMap", "store")
    )
    assert values == {
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
    assert set(read_store_config_map({}).values()) == {"", "en-US", "ready"}
