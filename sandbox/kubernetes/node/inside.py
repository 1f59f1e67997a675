"""What the launcher starts inside an enclosure: `python -m sandbox.kubernetes.node.inside JSON`."""

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path

from sandbox.kubernetes.node.enclosure import become_first
from sandbox.kubernetes.node.services import Work, work_inside


def _work() -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    given = json.loads(sys.argv[1])
    with suppress(KeyboardInterrupt):
        work_inside(
            Work(
                folder=Path(given["folder"]),
                programs={name: Path(path) for name, path in given["programs"].items()},
                envoy=Path(given["envoy"]),
                cgroup=given["cgroup"],
                images=[Path(path) for path in given["images"]],
                base_domain=given["base_domain"],
            )
        )
    return 0


if __name__ == "__main__":
    become_first(_work)
