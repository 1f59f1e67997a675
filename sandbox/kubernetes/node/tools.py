"""The system's own programs, found where root's are, whatever PATH says."""

import shutil
import subprocess
from pathlib import Path

from sandbox.folder import SandboxError
from sandbox.kubernetes.control_plane import PLACES


def find_tool(name: str) -> str | None:
    """Its path, or None."""
    return shutil.which(name, path=PLACES)


def run_tool(name: str, *words: str | Path, given: str | None = None) -> str:
    """What it prints; `given` is its input. Raises SandboxError with what it complained of."""
    program = find_tool(name)
    if program is None:
        raise SandboxError(f"there is no {name} on this machine")
    argv = [program, *map(str, words)]
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxError(
            f"`{' '.join([name, *map(str, words)])[:200]}` failed: {' '.join(done.stderr.split())[:500]}"
        )
    return done.stdout
