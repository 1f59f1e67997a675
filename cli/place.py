"""Where a demo's stores run: a simulated cluster, a real one on this machine, or the one of KUBECONFIG."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cli import screen
from cli.kubeconfig import current
from sandbox.images import build_images
from sandbox.kubernetes.binaries import CONTROL_PLANE, build
from sandbox.kubernetes.node.launcher import Options, prepare

STORES_PORT = 80
"""What a real node adds to the API's port: there its ingress controller answers for the stores."""
IMAGES = ("pause", "mariadb", "sample")
ENGINES = "workers.engines.sample,workers.engines.woocommerce,workers.engines.medusa"


def _nothing(_say: Callable[[str], None]) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Place:
    """How to reach a cluster, and what to start first."""

    kubeconfig: Path
    context: str | None = None
    title: str = ""
    words: Sequence[str] = ()
    """Of a module of the sandbox that runs it; none: it runs already."""
    prepare: Callable[[Callable[[str], None]], Sequence[str]] = _nothing
    """What takes long the first time, told as it goes; returns more words."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Settings that go with it."""
    engine: str = "WOOCOMMERCE"
    simulated: bool = False
    """A simulated API, whose clock has a speed."""
    pretends: bool = True
    """Pods don't really run."""


def place_of(cluster: str, data: Path, port: int, plugin: Path | None) -> Place:
    """Only `kubeconfig` looks at KUBECONFIG, and says which cluster it is. Raises KubeconfigError.

    `plugin`: WooCommerce as a zip. A real node sells with it; without it, it makes a sample shop.
    """
    kubernetes = data / "kubernetes"
    up = ["sandbox.kubernetes", "up", "--foreground", "--state", str(kubernetes), "--level", cluster]
    if cluster == "simulated":
        return Place(
            data / "kubeconfig",
            title="Kubernetes API (simulated: its pods only pretend to run)",
            words=["sandbox.simulator", "--kubeconfig", str(data / "kubeconfig"), "--state", str(data / "cluster.db")],
            simulated=True,
        )
    if cluster == "control-plane":
        return Place(
            kubernetes / "kubeconfig",
            title="Kubernetes control plane (real; its pods only pretend to run)",
            words=up,
            prepare=_control_plane,
        )
    if cluster == "node":
        stores = port + STORES_PORT
        return Place(
            kubernetes / "kubeconfig",
            title="Kubernetes node (real: containers run, on this machine alone)",
            words=[*up, "--ingress-port", str(stores), "--platform-port", str(port)],
            prepare=partial(_node, plugin),
            environment={
                "STOREFLEET_ENGINES": ENGINES,
                "STOREFLEET_STORE_PORT": str(stores),
                "STOREFLEET_DATABASE_IMAGE": "mariadb:debian",
            },
            engine="WOOCOMMERCE" if plugin else "SAMPLE",
            pretends=False,
        )
    found = current()
    screen.say("This demo uses a real cluster, and will make namespaces in it:", "yellow")
    screen.line("kubeconfig", str(found.path))
    screen.line("context", found.context)
    screen.line("server", found.server)
    return Place(found.path, found.context, pretends=False)


def _control_plane(say: Callable[[str], None]) -> Sequence[str]:
    build(CONTROL_PLANE, say)
    return ()


def _node(plugin: Path | None, say: Callable[[str], None]) -> Sequence[str]:
    """Programs and images; the latter as options."""
    if plugin is None:
        archives = build_images(IMAGES, say)
    else:
        archives = build_images([*IMAGES, "woocommerce"], say, files={"WOOCOMMERCE_ZIP": plugin})
    prepare(Options(images=tuple(archives)), say)
    return list(_options(archives))


def _options(archives: Sequence[Path]) -> Iterator[str]:
    for archive in archives:
        yield from ("--image", str(archive))
