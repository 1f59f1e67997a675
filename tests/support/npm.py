"""npm packages that a folder of the tests locks."""

import shutil
from pathlib import Path

from sandbox.dashboard import BuildError, find_npm


def install_packages(folder: Path) -> str | None:
    """Install the folder's packages, as locked. Returns why that is impossible here, or None."""
    if shutil.which("node") is None:
        return f"the packages of {folder.name} need Node.js"
    installed, lock = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        try:
            find_npm(print).run(folder, "ci", "--no-audit", "--no-fund")
        except BuildError as error:
            return f"the packages of {folder.name} can't be installed: {error}"
    return None
