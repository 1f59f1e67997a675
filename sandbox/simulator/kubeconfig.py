"""The file that tells a client where the simulated API listens and what to show it. JSON, which is YAML as well."""

import json
import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

NAME = "simulated"


class Known(NamedTuple):
    """What an earlier run wrote."""

    port: int
    token: str


def write(path: Path, server: str, token: str) -> None:
    """All at once, readable by its owner only."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": {"server": server}}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": "default"}}],
    }
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    with open(unfinished, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(config, file, indent=2)
    unfinished.replace(path)


def read(path: Path) -> Known | None:
    """What an earlier run wrote there, so that a restarted one keeps its address; None when it is not ours."""
    try:
        config = json.loads(path.read_text())
        port = urlsplit(config["clusters"][0]["cluster"]["server"]).port
        return Known(int(port or 0), str(config["users"][0]["user"]["token"]))
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
