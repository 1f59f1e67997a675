"""MedusaJS stores: announced, not available yet."""

from stores.engines import Engine

ENGINE = Engine(
    name="medusa",
    title="MedusaJS",
    description="A headless store: products, orders and payments behind an API, for a storefront of your own.",
    releases=(),
)
