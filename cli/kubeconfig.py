"""Reads which cluster a kubeconfig leads to, so that the demo can print it before it creates anything there."""

import os
from dataclasses import dataclass
from pathlib import Path

import yaml


class KubeconfigError(Exception):
    """There is no usable kubeconfig. The message is one line that says what to do."""


@dataclass(frozen=True)
class KubeContext:
    """The current context of a kubeconfig."""

    path: Path
    name: str
    server: str


def current_context() -> KubeContext:
    """Read KUBECONFIG or ~/.kube/config. Raises KubeconfigError."""
    named = os.environ.get("KUBECONFIG", "")
    if os.pathsep in named:
        raise KubeconfigError("KUBECONFIG names several files; name one: KUBECONFIG=FILE make demo CLUSTER=kubeconfig")
    path = Path(named).expanduser() if named else Path.home() / ".kube" / "config"
    try:
        config = yaml.safe_load(path.read_text())
        context = config["current-context"]
        cluster = next(item["context"]["cluster"] for item in config["contexts"] if item["name"] == context)
        server = next(item["cluster"]["server"] for item in config["clusters"] if item["name"] == cluster)
    except (OSError, yaml.YAMLError, KeyError, TypeError, StopIteration) as error:
        reason = error.strerror if isinstance(error, OSError) else "it has no current context with a server"
        raise KubeconfigError(f"{path} isn't a usable kubeconfig: {reason}; set KUBECONFIG") from None
    return KubeContext(path.absolute(), str(context), str(server))
