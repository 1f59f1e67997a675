"""Compiled operations: what answers a query without the executor of graphql-core, byte for byte alike."""
