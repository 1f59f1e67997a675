"""MedusaJS stores: announced, and coming in a later version."""

from stores.engines import Engine

ENGINE = Engine(name="medusa", title="MedusaJS", releases=())
