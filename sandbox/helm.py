"""Installs the platform's chart on a node of this machine by a real Helm, with images of Debian packages."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
CHART = Path(__file__).resolve().parents[1] / "charts" / "storefleet"
IMAGES = ("pause", "platform", "postgres", "valkey")
"""What the node needs apart from the images of an engine's stores."""
WAIT = ("--wait", "--wait-for-jobs", "--timeout", "5m")


class HelmError(Exception):
    """Helm's standard error."""


@dataclass(frozen=True)
class Helm:
    """A Helm for one cluster, or for none. `home`: a folder for its cache."""

    program: Path
    home: Path
    kubeconfig: Path | None = None

    def run(self, *words: str | Path, input_text: str | None = None) -> str:
        """Returns the standard output. Raises HelmError."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        if self.kubeconfig is not None:
            environment["KUBECONFIG"] = str(self.kubeconfig)
        done = subprocess.run(
            [self.program, *words], env=environment, input=input_text, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise HelmError(f"{done.stderr}\n{done.stdout}")
        return done.stdout

    def apply(self, name: str, namespace: str, values: JSON, *words: str, wait: Sequence[str] = WAIT) -> str:
        """Install or upgrade the release, with values-local.yaml and these. Raises HelmError."""
        release: tuple[str | Path, ...] = ("upgrade", "--install", name, CHART, "--namespace", namespace)
        files: tuple[str | Path, ...] = ("--values", CHART / "values-local.yaml", "--values", "-")
        return self.run(*release, *files, *words, *wait, input_text=json.dumps(values))


def public_url(port: int) -> str:
    """Of the dashboard and the API. `port`: of the node's ingress controller on this machine."""
    return f"http://storefleet.localhost:{port}"


def node_values(port: int, engines: Sequence[str]) -> JSON:
    """Values for a node: its address, and images of Debian packages. `engines`: their modules."""
    return {
        "settings": {
            "publicUrl": public_url(port),
            "storePort": port,
            "engines": list(engines),
            "databaseImage": "mariadb:debian",
            "postgresImage": "postgres:debian",
            "valkeyImage": "valkey/valkey:debian",
        },
        "database": {"bundled": {"image": "docker.io/library/postgres:debian", "storage": {"size": "256Mi"}}},
        "redis": {"bundled": {"image": "docker.io/valkey/valkey:debian"}},
    }
