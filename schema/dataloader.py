"""Strawberry's DataLoader, in which a load that is cancelled leaves the others of its batch alone."""

import asyncio
from typing import TypeVar

from strawberry.dataloader import DataLoader

K = TypeVar("K")
V = TypeVar("V")


class ShieldedDataLoader(DataLoader[K, V]):
    """Loads go on when nobody waits for them any more.

    graphql-core cancels the siblings of a field that failed. When all loads of a batch are cancelled before the batch
    begins, Strawberry's DataLoader cancels the batch, but keeps it: the next load joins it, and waits for ever.
    """

    def load(self, key: K) -> asyncio.Future[V]:
        return asyncio.shield(super().load(key))
