"""A real node on this machine, in an enclosure that leaves no trace: containers, volumes, policies, an ingress."""
