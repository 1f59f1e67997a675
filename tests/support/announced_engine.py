"""An engine that is announced: it has no release yet."""

from stores.engines import Engine

ENGINE = Engine(name="announced", title="Announced", releases=())
