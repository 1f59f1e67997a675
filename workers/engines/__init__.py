"""Engines: one module each, pure functions that return a store's manifests as dicts."""
