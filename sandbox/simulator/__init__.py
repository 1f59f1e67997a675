"""A simulated Kubernetes API server with controllers, a kubelet, an adjustable clock and fault injection."""
