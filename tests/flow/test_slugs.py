"""Slugs of stores that have the same name."""

from typing import Any

import pytest

from stores.names import slug_problem
from stores.slugs import SUGGESTIONS, candidates, first_free
from tests.support.harness import Harness


async def test_more_stores_of_one_name_than_small_numbers(api: Harness) -> None:
    """They get large random numbers."""
    first = await api.create_store(name="Fig & Olive")
    held = candidates("fig-olive")
    assert first["slug"] == held[0]
    await api.sql(
        "INSERT INTO slugs (slug, account_id, store_id) SELECT unnest($1::text[]), account_id, id FROM stores", held[1:]
    )
    for _ in range(3):
        slug = (await api.create_store(name="Fig & Olive"))["slug"]
        assert slug.startswith("fig-olive-")
        assert slug not in held
        assert slug_problem(slug) is None
        held.append(slug)
    rows = await api.sql(
        "SELECT slugs.slug FROM slugs JOIN stores ON stores.id = store_id AND stores.slug = slugs.slug"
    )
    assert {row["slug"] for row in rows} == {first["slug"], *held[-3:]}


@pytest.mark.parametrize(
    ("wanted", "held", "platform_label", "slug"),
    [
        ("fig", [], None, "fig"),
        ("fig", ["fig"], None, "fig-2"),
        ("fig", ["fig", "fig-3"], None, "fig-2"),
        ("fig", candidates("fig")[:-1], None, f"fig-{SUGGESTIONS[-1]}"),
        ("fig", ["fig"], "fig-2", "fig-3"),
        ("olive", [], "olive", "olive-2"),
        ("admin", [], None, "admin-2"),
    ],
)
def test_a_small_number_is_preferred(wanted: str, held: list[str], platform_label: Any, slug: str) -> None:
    assert first_free(candidates(wanted), held, platform_label) == slug
