"""`make demo CLUSTER=node PLATFORM=chart`: the platform runs in the cluster, installed from its chart."""

from pathlib import Path

from runtime.settings import EngineSettings
from sandbox.data_folder import SandboxError
from sandbox.helm import Helm, HelmError, node_values
from sandbox.kubernetes.binaries import Report, build_helm

NAME = NAMESPACE = "storefleet"


def install_platform(kubeconfig: Path, home: Path, port: int, report: Report) -> None:
    """Install the chart, or upgrade it. `port`: of the node's ingress controller. Raises SandboxError."""
    values = node_values(port, ("workers.engines.sample", *EngineSettings.model_fields["engines"].default))
    # the demo's user signs up by itself
    values["settings"]["signUp"] = "open"
    try:
        Helm(build_helm(report), home, kubeconfig).apply(NAME, NAMESPACE, values, "--create-namespace")
    except HelmError as error:
        last = str(error).strip().splitlines()[-1]
        raise SandboxError(f"the chart can't be installed: {last}") from None
