"""The cluster of a demo: simulated, a real one on this machine, or the one of KUBECONFIG."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from cli import output
from cli.kubeconfig import current_context
from runtime.settings import EngineSettings
from sandbox import helm
from sandbox.data_folder import SandboxError
from sandbox.images import build_images
from sandbox.kubernetes.binaries import CONTROL_PLANE, Report, build
from sandbox.kubernetes.node.launcher import NodeOptions, prepare

INGRESS_PORT_OFFSET = 80
"""The port of a real node's ingress controller is the API's port plus this."""
SIMULATED_PROGRAMS = Path(__file__).with_name("simulated_programs.toml")
"""What the containers of a store do in the simulator."""
IMAGES = {
    "sample": ("pause", "mariadb", "sample"),
    "woocommerce": ("pause", "mariadb", "woocommerce"),
    "medusa": ("pause", "postgres", "valkey", "medusa"),
}
"""What a real node needs for stores of an engine."""
ENGINES = ",".join(("workers.engines.sample", *EngineSettings.model_fields["engines"].default))
"""On a real node: the default engines and the sample shop."""


def _nothing(_report: Report) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class DemoCluster:
    """How to start and reach a cluster."""

    kubeconfig: Path
    context: str | None = None
    title: str = ""
    command: Sequence[str] = ()
    """The sandbox module that runs it, and its arguments; empty: the cluster is already running."""
    prepare: Callable[[Report], Sequence[str]] = _nothing
    """Build what the cluster needs; slow at the first time. Returns additional arguments for `command`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Settings for the API and worker processes."""
    engine: str = "WOOCOMMERCE"
    simulated_api: bool = False
    """Whether the API is simulated; its clock has a speed."""
    simulated_pods: bool = True
    """Whether no containers run."""
    stores_port: int | None = None
    """The port of the ingress controller, if the platform itself runs in the cluster too, from its chart."""


def choose_cluster(
    cluster: str, data: Path, port: int, engine: str | None, plugin: Path | None, platform: str
) -> DemoCluster:
    """The cluster of that kind. Only `kubeconfig` reads KUBECONFIG, and prints which cluster it is.

    `engine`: of the store. None: WooCommerce; on a real node without `plugin`, WooCommerce's zip file, a sample shop.
    `platform`: `processes`, or `chart` on a node. Raises KubeconfigError, and SandboxError for what doesn't fit.
    """
    default = "sample" if cluster == "node" and plugin is None else "woocommerce"
    if platform == "chart" and cluster != "node":
        raise SandboxError("the chart needs containers: CLUSTER=node")
    choose = _chart_node if platform == "chart" else partial(_cluster, cluster)
    return replace(choose(data, port, engine or default, plugin), engine=(engine or default).upper())


def _chart_node(data: Path, port: int, engine: str, plugin: Path | None) -> DemoCluster:
    """A node on which the platform runs, too. `port` is that of the ingress controller: one address for everything."""
    node = _cluster("node", data, port, engine, plugin)
    images = (*_images(engine, plugin), *helm.IMAGES)
    return replace(
        node,
        command=[*node.command[: node.command.index("--ingress-port")], "--ingress-port", str(port)],
        prepare=partial(_node, tuple(dict.fromkeys(images)), plugin),
        stores_port=port,
    )


def _cluster(cluster: str, data: Path, port: int, engine: str, plugin: Path | None) -> DemoCluster:
    kubernetes = data / "kubernetes"
    up = ["sandbox.kubernetes", "up", "--foreground", "--state", str(kubernetes), "--level", cluster]
    if cluster == "simulated":
        return DemoCluster(
            data / "kubeconfig",
            title="Kubernetes API (simulated: no containers run)",
            command=[
                *("sandbox.simulator", "--kubeconfig", str(data / "kubeconfig"), "--state", str(data / "cluster.db")),
                *("--programs", str(SIMULATED_PROGRAMS)),
            ],
            environment=_without_shops(port),
            simulated_api=True,
        )
    if cluster == "control-plane":
        return DemoCluster(
            kubernetes / "kubeconfig",
            title="Kubernetes control plane (real, with fake nodes: no containers run)",
            command=up,
            prepare=_control_plane,
            environment=_without_shops(port),
        )
    if cluster == "node":
        stores = port + INGRESS_PORT_OFFSET
        return DemoCluster(
            kubernetes / "kubeconfig",
            title="Kubernetes node (real: containers run on this machine)",
            command=[*up, "--ingress-port", str(stores), "--platform-port", str(port)],
            prepare=partial(_node, _images(engine, plugin), plugin),
            environment={
                "STOREFLEET_ENGINES": ENGINES,
                "STOREFLEET_STORE_PORT": str(stores),
                "STOREFLEET_DATABASE_IMAGE": "mariadb:debian",
                "STOREFLEET_POSTGRES_IMAGE": "postgres:debian",
                "STOREFLEET_VALKEY_IMAGE": "valkey/valkey:debian",
            },
            simulated_pods=False,
        )
    context = current_context()
    output.echo("This demo uses a real cluster, and will create namespaces in it:", "yellow")
    output.field("kubeconfig", str(context.path))
    output.field("context", context.name)
    output.field("server", context.server)
    return DemoCluster(context.path, context.name, simulated_pods=False)


def _without_shops(port: int) -> Mapping[str, str]:
    """Where no containers run, a store's URL leads to the API's page about it. Browsers resolve `*.localhost`."""
    return {"STOREFLEET_STORE_PORT": str(port)}


def _control_plane(report: Report) -> Sequence[str]:
    build(CONTROL_PLANE, report)
    return ()


def _images(engine: str, plugin: Path | None) -> Sequence[str]:
    """The images for that engine's stores. Raises SandboxError."""
    if engine not in IMAGES:
        raise SandboxError(f"a node has no images for the engine {engine}: choose one of {', '.join(IMAGES)}")
    if engine == "woocommerce" and plugin is None:
        raise SandboxError("on a node, WooCommerce needs its plugin: WOOCOMMERCE_ZIP=file")
    return IMAGES[engine]


def _node(images: Sequence[str], plugin: Path | None, report: Report) -> Sequence[str]:
    """Build programs and images. Returns the images as arguments."""
    files = {} if plugin is None or "woocommerce" not in images else {"WOOCOMMERCE_ZIP": plugin}
    archives = build_images(images, report, files=files)
    prepare(NodeOptions(images=tuple(archives)), report)
    return [argument for archive in archives for argument in ("--image", str(archive))]
