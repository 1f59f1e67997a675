"""The inputs that choose and order stores."""

from enum import Enum

import strawberry

from schema.context import RequestError
from schema.enums import EngineName, describe
from stores import store_pages
from stores.status import Health, Status
from stores.store_pages import OrderField

MAX_SEARCH = 80

describe(
    OrderField,
    "StoreOrderField",
    "What stores are ordered by; then by id.",
    {
        "CREATED_AT": "When the store was requested.",
        "NAME": "The store's name, in any case of letters.",
        "STATUS": "Its status, in the order of the enum StoreStatus.",
    },
)


@strawberry.enum(description="The direction of an order.")
class OrderDirection(Enum):
    ASC = strawberry.enum_value("ASC", description="From the smallest: the oldest first, A before Z.")
    DESC = strawberry.enum_value("DESC", description="From the largest: the newest first, Z before A.")


@strawberry.input(description="All given fields must match. An empty list matches everything.")
class StoreFilter:
    status: list[Status] | None = strawberry.field(
        default=None, description="Any of these. DELETED stores are left out unless they are asked for."
    )
    health: list[Health] | None = strawberry.field(default=None, description="Any of these.")
    engine: list[EngineName] | None = strawberry.field(default=None, description="Any of these.")
    search: str | None = strawberry.field(
        default=None, description="Part of the name or of the slug, in any case. At most 80 characters."
    )


@strawberry.input(description="The order of a list of stores.")
class StoreOrder:
    field: OrderField = strawberry.field(description="STATUS: in the order of the enum StoreStatus.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Ascending by default.")


def check_search(given: str | None) -> str:
    """Without spaces at its ends. Raises RequestError."""
    search = (given or "").strip()
    if len(search) > MAX_SEARCH or not search.isprintable():
        raise RequestError("BAD_USER_INPUT", f"`search` is at most {MAX_SEARCH} printable characters.")
    return search


def to_filter(given: StoreFilter | None, *, include_deleted: bool = False) -> store_pages.StoreFilter:
    """Raises RequestError for a search that is too long or not printable."""
    if given is None:
        return store_pages.StoreFilter(include_deleted=include_deleted)
    return store_pages.StoreFilter(
        statuses=frozenset(given.status or ()),
        health=frozenset(given.health or ()),
        engines=frozenset(engine.value for engine in given.engine or ()),
        search=check_search(given.search),
        include_deleted=include_deleted,
    )


def to_order(given: StoreOrder | None) -> store_pages.StoreOrder:
    if given is None:
        return store_pages.StoreOrder()
    return store_pages.StoreOrder(given.field, descending=given.direction is OrderDirection.DESC)
