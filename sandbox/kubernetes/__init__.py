"""A real Kubernetes cluster on this machine, built from Go modules: `python -m sandbox.kubernetes --help`."""
