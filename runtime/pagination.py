"""Pages of rows between two cursors, in both directions (keyset pagination)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Select, literal, tuple_

Row = TypeVar("Row")


@dataclass(frozen=True)
class PageRange:
    """At most `limit` rows of a list between two of them: the first or the `last` ones.

    `after` and `before`: the sort keys of these rows, exclusive; or parameters of a statement for them.
    """

    limit: int
    last: bool = False
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None


ALL = PageRange(2**31 - 2)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows, in the order of the list."""

    rows: Sequence[Row]
    has_previous: bool
    has_next: bool


def within(
    query: Select[*tuple[Any, ...]], key: Sequence[Any], wanted: PageRange, *, descending: bool = False
) -> Select[*tuple[Any, ...]]:
    """The query of the range's rows and of one more, from the end of the list if the last ones are wanted.

    `key`: the columns that the list is ordered by, all in one direction; together unique.
    """
    place = tuple_(*key)
    if wanted.after is not None:
        query = query.where(place < _literal(key, wanted.after) if descending else place > _literal(key, wanted.after))
    if wanted.before is not None:
        query = query.where(
            place > _literal(key, wanted.before) if descending else place < _literal(key, wanted.before)
        )
    return query.order_by(*sorting(key, descending=descending != wanted.last)).limit(wanted.limit + 1)


def sorting(key: Sequence[Any], *, descending: bool) -> list[ColumnElement[Any]]:
    return [column.desc() if descending else column.asc() for column in key]


def page_of(rows: Sequence[Row], wanted: PageRange, *, from_the_end: bool = False) -> Page[Row]:
    """The page of the rows that `within` chose. `from_the_end`: they are in the reverse order of the list."""
    rows = rows[::-1] if from_the_end else rows
    has_more = len(rows) > wanted.limit
    kept = rows[-wanted.limit :] if wanted.last else rows[: wanted.limit]
    return Page(
        kept,
        has_previous=has_more if wanted.last else wanted.after is not None,
        has_next=wanted.before is not None if wanted.last else has_more,
    )


def _literal(key: Sequence[Any], values: tuple[Any, ...]) -> ColumnElement[Any]:
    given = zip(key, values, strict=True)
    return tuple_(
        *(value if isinstance(value, BindParameter) else literal(value, column.type) for column, value in given)
    )
