"""PageInfo of Relay's cursor connections, and the size of a page."""

import strawberry

from schema.context import RequestError

MAX_PAGE = 100


@strawberry.type(description="Where a page of a list begins and ends.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more items follow.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last item: pass it as `after` to get the next page. Null for an empty page."
    )
    has_previous_page: bool = strawberry.field(description="Whether items precede the page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first item. Null for an empty page.")


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
