"""A simulated Kubernetes API: fast, on a clock that can be set, and with every fault on demand."""
