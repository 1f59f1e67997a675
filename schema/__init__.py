"""The GraphQL schema: translation only, no decisions."""
