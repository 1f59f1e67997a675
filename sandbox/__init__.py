"""Servers that the demo and the tests run: PostgreSQL, Valkey and a simulated Kubernetes API."""
