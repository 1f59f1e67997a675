"""The kubeconfig of the simulated API: its URL and token. JSON, which is also YAML."""

import json
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sandbox.files import write_private

NAME = "simulated"


class SavedServer(NamedTuple):
    """The port and token that an earlier run wrote."""

    port: int
    token: str


def write(path: Path, server: str, token: str) -> None:
    """Write the file atomically, with mode 0600."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": {"server": server}}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": "default"}}],
    }
    write_private(path, json.dumps(config, indent=2))


def read(path: Path) -> SavedServer | None:
    """The port and token of an earlier run, so that a restart keeps its URL; None for a missing or foreign file."""
    try:
        config = json.loads(path.read_text())
        port = urlsplit(config["clusters"][0]["cluster"]["server"]).port
        return SavedServer(int(port or 0), str(config["users"][0]["user"]["token"]))
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
