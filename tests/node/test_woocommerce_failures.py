"""A WooCommerce image without the plugin: the store fails with that cause; a retry with the right image succeeds."""

import asyncio
from pathlib import Path

import pytest

from tests.node.image_variants import import_variant
from tests.node.plugin import PLUGIN
from tests.node.real_node import RealNode
from tests.node.shoppers import ShoppingSession
from tests.node.stores import create_store, retry_until_ready, wait_for_failure
from tests.support.harness import Harness

WHOLE, BARE = (f"docker.io/storefleet/{name}woocommerce:2026.11" for name in ("", "bare/"))
REMOVED = {"/var/www/html/wp-content/plugins/.wh.woocommerce": ""}
"""A whiteout: a layer that deletes the plugin."""
CAUSE = (
    "WooCommerce is missing from this image: build it with WOOCOMMERCE_VERSION or WOOCOMMERCE_ZIP, "
    "or put the plugin back into wp-content/plugins."
)


@pytest.mark.parametrize("changes", [{"image_registry": "storefleet/bare"}], indirect=True)
async def test_an_image_without_the_plugin(
    harness: Harness, node: RealNode, archives: dict[str, Path], tmp_path: Path
) -> None:
    if PLUGIN is None:  # then the image has none
        await asyncio.to_thread(node.ctr, "images", "tag", "--force", WHOLE, BARE)
    else:
        await import_variant(node, archives["woocommerce"], tmp_path / "image", BARE, REMOVED)
    store, _ = await create_store(harness, engine="WOOCOMMERCE")
    assert CAUSE in await wait_for_failure(harness, store)
    if PLUGIN is None:
        return
    await asyncio.to_thread(node.ctr, "images", "tag", "--force", WHOLE, BARE)
    await retry_until_ready(harness, store)
    shop = ShoppingSession(harness, await harness.get_store(store["id"]))
    await shop.buy()
    assert shop.keys
