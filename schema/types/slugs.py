"""SlugSuggestion: an address for a new store."""

import strawberry


@strawberry.type(description="An address for a new store. createStore decides: another store may take it before.")
class SlugSuggestion:
    slug: str = strawberry.field(description="A slug that is free now: the requested one if it is free.")
    available: bool = strawberry.field(description="Whether the requested slug is free.")
    reason: str | None = strawberry.field(description="Why the requested slug is not available.")
    url: str = strawberry.field(description="The URL of a store with this slug.")
