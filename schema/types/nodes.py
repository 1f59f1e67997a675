"""Node: what has a global id."""

import strawberry


@strawberry.interface(description="An object with a global id: Query.node finds it again.")
class Node:
    id: strawberry.ID = strawberry.field(description="Global id.")
