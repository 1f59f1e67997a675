"""What a store is made of: one module an engine, pure functions that return manifests as dicts."""
