"""The dataloader of resolvers."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader

K = TypeVar("K")
T = TypeVar("T")


class Loader(DataLoader[K, T]):
    """Without cache, because a WebSocket's context lives long; equal keys of one moment are in one batch.

    Strawberry cancels a batch when all its loads are cancelled, as those of fields beside one that fails, and then adds
    the next load to it: that would wait for ever.
    """

    def __init__(self, load: Callable[[list[K]], Awaitable[Sequence[T | BaseException]]]) -> None:
        super().__init__(load, cache=False)

    def load(self, key: K) -> Awaitable[T]:
        if self.batch is not None and all(task.future.cancelled() for task in self.batch.tasks):
            self.batch = None
        return super().load(key)
