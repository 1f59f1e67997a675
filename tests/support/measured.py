"""Coverage of separate processes: by itself, SlipCover measures the processes of pytest only."""

import os
import sys
from uuid import uuid4


def measured(*words: str) -> list[str]:
    """The command `python -m words…`, measured where the test is. Only a process that ends by itself saves its data.

    In `make test`, SlipCover's plugin merges all files of that name in its folder. The process must not know the
    folder: SlipCover would remove it at the end of the process.
    """
    folder = os.environ.get("SLIPCOVER_COVERAGE_DIR")
    if folder is None:
        return [sys.executable, "-m", *words]
    file = f"{folder}/coverage-gw-{uuid4().hex}.json"
    without_folder = ["env", "--unset=SLIPCOVER_COVERAGE_DIR", sys.executable, "-m"]
    lasting_probes = ["--threshold", "1000000000"]  # as in tests/conftest.py
    return [*without_folder, "slipcover", "--dont-wrap-pytest", *lasting_probes, "--json", "--out", file, "-m", *words]
