"""A WooCommerce image without the plugin, and full disks: what owners and shoppers are told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.node.disks import fill_disk, root_folder
from tests.node.image_variants import image_variant
from tests.node.plugin import NEEDS_PLUGIN, PLUGIN
from tests.node.real_node import RealNode
from tests.node.shoppers import API, ORDER, ShoppingSession, create_open_store, send_request
from tests.node.stores import create_store, retry_until_ready, wait_for_failure
from tests.support.harness import Harness
from tests.support.waiting import wait_until

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
        image = image_variant(archives["woocommerce"], tmp_path / "image", BARE, REMOVED)
        await asyncio.to_thread(node.ctr, "images", "import", str(image))
    store, _ = await create_store(harness, engine="WOOCOMMERCE")
    assert CAUSE in await wait_for_failure(harness, store)
    if PLUGIN is None:
        return
    await asyncio.to_thread(node.ctr, "images", "tag", "--force", WHOLE, BARE)
    await retry_until_ready(harness, store)
    shop = ShoppingSession(harness, await harness.get_store(store["id"]))
    await shop.buy()
    assert shop.keys


@NEEDS_PLUGIN
async def test_with_full_disks_nobody_is_told_that_the_cart_is_empty(harness: Harness, node: RealNode) -> None:
    store, namespace = await create_open_store(harness)
    web, database = [
        await root_folder(harness, node, namespace, component, program)
        for component, program in (("web", "apache2"), ("database", "mariadbd"))
    ]
    shop = ShoppingSession(harness, store)
    headers, _ = await shop.retry_until(200, "GET", f"{API}/cart")
    cart = {"Cart-Token": headers["Cart-Token"]}
    _, [product] = await shop.retry_until(200, "GET", f"{API}/products?sku=storefleet-sample")
    add = {"id": product["id"], "quantity": 1}
    await shop.retry_until(201, "POST", f"{API}/cart/add-item", json=add, headers=cart)

    filled = True

    async def ask(method: str, path: str, **more: Any) -> int:
        nonlocal filled
        status, _, answer = await send_request(harness, store, method, path, headers=cart, **more)
        if filled:
            assert "cart_empty" not in str(answer), answer
            assert path != f"{API}/cart" or status != 200 or len(answer["items"]) == 1, answer
        filled = (filled or status == 201) and not (path == f"{API}/checkout" and status == 200)
        return status

    async def refuses() -> bool:
        """Not at once: the database's log files may have room for some orders more."""
        added = await ask("POST", f"{API}/cart/add-item", json=add)
        await ask("GET", f"{API}/cart")
        bought = await ask("POST", f"{API}/checkout", json=ORDER)
        return added == 503 and (bought >= 500 or not filled)

    with fill_disk(database / "var/lib/mysql"), fill_disk(web / "var/www/html/wp-content/uploads"):
        await harness.wait_for_store(store["id"], health="DOWN")
        await wait_until(refuses)
        assert (await send_request(harness, store, "GET", "/"))[0] in (200, 500, 503)
    await harness.wait_for_store(store["id"], health="HEALTHY")
    await shop.buy()
    assert shop.keys
