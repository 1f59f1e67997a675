"""The GraphQL schema. It translates requests into function calls, and rows into GraphQL types; it decides nothing.

A new mutation needs three files: a function in stores/ or accounts/ that checks access and does the work, the resolver
with its input and payload in schema/mutations/, and schema.graphql, which a test regenerates.
"""
