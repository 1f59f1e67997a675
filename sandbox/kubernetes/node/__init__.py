"""A real, isolated node on this machine: containers, volumes, network policies and an ingress controller."""
