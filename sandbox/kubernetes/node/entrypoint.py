"""The node's entry point in the namespaces: `python -m sandbox.kubernetes.node.entrypoint JSON`."""

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path

from sandbox.kubernetes.node.isolation import run_as_init
from sandbox.kubernetes.node.services import NodeConfig, run_node


def _run() -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    config = json.loads(sys.argv[1])
    with suppress(KeyboardInterrupt):
        run_node(
            NodeConfig(
                folder=Path(config["folder"]),
                programs={name: Path(path) for name, path in config["programs"].items()},
                envoy=Path(config["envoy"]),
                cgroup=config["cgroup"],
                images=[Path(path) for path in config["images"]],
                base_domain=config["base_domain"],
            )
        )
    return 0


if __name__ == "__main__":
    run_as_init(_run)
