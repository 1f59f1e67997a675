"""Relay's connections: their arguments, edges and PageInfo, written once for all lists."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Generic, Self, TypeVar

import strawberry

from runtime.pagination import Page, PageRange
from schema.context import RequestError

MAX_PAGE = 100
UNPAGED = 20
"""Items of a connection without `first` and `last`, where that is allowed."""

Item = TypeVar("Item")

First = Annotated[int | None, strawberry.argument(description="How many items, from the start of the list: 1 to 100.")]
Last = Annotated[int | None, strawberry.argument(description="How many items, from the end of the list: 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Only items after this cursor.")]
Before = Annotated[str | None, strawberry.argument(description="Only items before this cursor.")]


@strawberry.type(description="Where a page of a list begins and ends.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more items follow.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last item: pass it as `after` to get the next page. Null for an empty page."
    )
    has_previous_page: bool = strawberry.field(description="Whether items precede the page.")
    start_cursor: str | None = strawberry.field(
        description="Cursor of the first item: pass it as `before` to get the page before. Null for an empty page."
    )


@strawberry.type(description="An item in a page.")
class Edge(Generic[Item]):
    cursor: str = strawberry.field(description="The item's cursor, for the order of this list.")
    node: Item = strawberry.field(description="The item.")


class Cursors(Sequence[str]):
    """Cursors that are made when they are asked for: most pages need only the first and the last one."""

    def __init__(self, places: Sequence[Any], encode: Callable[[Any], str]) -> None:
        self._places, self._encode = places, encode

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        """The cursor at a place."""
        return self._encode(self._places[index])


@strawberry.type(description="A page of a list.")
class Connection(Generic[Item]):
    edges: list[Edge[Item]] = strawberry.field(description="The items with their cursors.")
    nodes: list[Item] = strawberry.field(description="The items.")
    page_info: PageInfo = strawberry.field(description="Where the page begins and ends.")
    cursors: strawberry.Private[Sequence[str]]

    @classmethod
    def of(cls, items: Iterable[Item], cursors: Sequence[str], page: Page[Any], **more: Any) -> Self:
        """The page with an item and a cursor for each of its rows. `more`: further fields of a subclass."""
        created = object.__new__(cls)  # without `edges`, which few clients ask for
        created.cursors, created.nodes = cursors, list(items)
        created.page_info = PageInfo(
            has_next_page=page.has_next,
            end_cursor=cursors[-1] if cursors else None,
            has_previous_page=page.has_previous,
            start_cursor=cursors[0] if cursors else None,
        )
        vars(created).update(more)
        return created

    def __getattr__(self, name: str) -> Any:
        if name != "edges":
            raise AttributeError(name)
        return [Edge(cursor=cursor, node=node) for cursor, node in zip(self.cursors, self.nodes, strict=True)]


def to_range(
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    decode: Callable[[str], tuple[Any, ...] | None],
    *,
    default: int | None = None,
) -> PageRange:
    """The arguments of a connection. `default`: the size without `first` and `last`; None: one must be given.

    Raises RequestError, also for a text that `decode` doesn't know.
    """
    if default is not None and first is None and last is None:
        first = default
    return PageRange(
        page_size(first, last),
        last=first is None,
        after=_key(after, "after", decode),
        before=_key(before, "before", decode),
    )


def check_page_size(size: int, argument: str = "first") -> None:
    """Raises RequestError."""
    if not 1 <= size <= MAX_PAGE:
        raise RequestError("BAD_USER_INPUT", f"`{argument}` is 1 to {MAX_PAGE}: it was {size}.")


def page_size(first: int | None, last: int | None) -> int:
    """The one of them that is given. Raises RequestError if that is not exactly one, or its size is out of bounds."""
    if (first is None) == (last is None):
        raise RequestError("BAD_USER_INPUT", "Give either first or last.")
    size = first if first is not None else last or 0
    check_page_size(size, "first" if first is not None else "last")
    return size


def _key(cursor: str | None, argument: str, decode: Callable[[str], tuple[Any, ...] | None]) -> tuple[Any, ...] | None:
    if cursor is None:
        return None
    key = decode(cursor)
    if key is None:
        raise RequestError("BAD_USER_INPUT", f"`{argument}` is not a cursor of this list in this order.")
    return key
