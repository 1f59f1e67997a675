"""Runs the system's programs. They are searched in SYSTEM_PATH, independent of PATH."""

import shutil
import subprocess
from pathlib import Path

from sandbox.data_folder import SandboxError
from sandbox.kubernetes.control_plane import SYSTEM_PATH


def find_tool(name: str) -> str | None:
    """The program's path, or None."""
    return shutil.which(name, path=SYSTEM_PATH)


def run_tool(name: str, *arguments: str | Path, stdin: str | None = None) -> str:
    """Run a program with this standard input. Returns its output. Raises SandboxError with its error output."""
    program = find_tool(name)
    if program is None:
        raise SandboxError(f"there is no {name} on this machine")
    argv = [program, *map(str, arguments)]
    result = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if result.returncode:
        command, error = " ".join([name, *argv[1:]]), " ".join(result.stderr.split())
        raise SandboxError(f"`{command[:200]}` failed: {error[:500]}")
    return result.stdout
