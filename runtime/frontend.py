"""Where the dashboard and the GraphQL playground are built, and served from."""

from pathlib import Path

FRONTEND = Path(__file__).resolve().parents[1] / "frontend"
"""The dashboard's package; the playground's is a folder in it. Each is built into its folder `dist`."""
STAMP = ".built"
"""File in a built folder, written last: the hash of the sources that it was built from."""
