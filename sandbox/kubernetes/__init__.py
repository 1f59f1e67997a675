"""A real Kubernetes on this machine, from Go modules: `python -m sandbox.kubernetes --help`."""
