"""The GraphQL schema. It translates requests into function calls, and rows into GraphQL types; it decides nothing."""
