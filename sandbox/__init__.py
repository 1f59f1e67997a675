"""What the demo and the tests embed: PostgreSQL, Valkey and a simulated Kubernetes API."""
