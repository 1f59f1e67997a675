"""The domain of stores: commands, queries, events and leases. No HTTP, no GraphQL, no Kubernetes."""
