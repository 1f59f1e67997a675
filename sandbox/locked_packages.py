"""Locked packages that must not be in .venv: in a folder of their own in the user's cache."""

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sandbox.data_folder import SandboxError
from sandbox.files import cache_folder


def install_locked(requirements: Path, name: str, report: Callable[[str], None]) -> Path:
    """The folder with the packages; they are installed once, hashes checked. Raises SandboxError."""
    build = f"{platform.machine()} {sys.version_info[:2]}"
    key = hashlib.sha256(requirements.read_bytes() + build.encode()).hexdigest()[:16]
    folder = cache_folder(name.lower()) / key
    if not folder.exists():
        report(f"Installing {name}, once.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        argv: list[str | Path] = [sys.executable, *pip, "--target", temporary, "-r", requirements]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(temporary)
            raise SandboxError(f"{name} can't be installed: {' '.join(done.stderr.split())[-300:]}")
        try:
            temporary.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(temporary)
    return folder
