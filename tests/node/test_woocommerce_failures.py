"""A WooCommerce image that lacks the plugin: the store says so, and a retry with the right one makes it."""

import asyncio
from pathlib import Path

import pytest

from tests.flow.fleet import Fleet
from tests.node.conftest import PLUGIN
from tests.node.real import RealNode
from tests.node.shoppers import Shopping
from tests.node.test_failures import begun, fails, recovers
from tests.node.variants import variant

WHOLE, BARE = (f"docker.io/storefleet/{name}woocommerce:2026.11" for name in ("", "bare/"))
REMOVED = {"/var/www/html/wp-content/plugins/.wh.woocommerce": ""}
"""A layer that takes the plugin away."""
CAUSE = (
    "WooCommerce is missing from this image: build it with WOOCOMMERCE_VERSION or WOOCOMMERCE_ZIP, "
    "or put the plugin back into wp-content/plugins."
)


@pytest.mark.parametrize("changes", [{"image_registry": "storefleet/bare"}], indirect=True)
async def test_an_image_without_the_plugin(
    fleet: Fleet, node: RealNode, archives: dict[str, Path], tmp_path: Path
) -> None:
    if PLUGIN is None:  # then the image has none
        await asyncio.to_thread(node.ctr, "images", "tag", "--force", WHOLE, BARE)
    else:
        image = variant(archives["woocommerce"], tmp_path / "image", BARE, REMOVED)
        await asyncio.to_thread(node.ctr, "images", "import", str(image))
    store, _ = await begun(fleet, engine="WOOCOMMERCE")
    assert CAUSE in await fails(fleet, store, 60)
    if PLUGIN is None:
        return
    await asyncio.to_thread(node.ctr, "images", "tag", "--force", WHOLE, BARE)
    await recovers(fleet, store)
    shop = Shopping(fleet, await fleet.store(store["id"]))
    await shop.buy()
    assert shop.keys
