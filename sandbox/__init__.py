"""Servers that the demo and the tests run: PostgreSQL, Valkey, and a simulated or real Kubernetes."""
