"""Locked packages in a folder of their own: installed once, and nothing is left of a failure."""

from pathlib import Path

import pytest

from sandbox.data_folder import SandboxError
from sandbox.locked_packages import install_locked


def test_packages_are_installed_once_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    requirements, lines = tmp_path / "nothing.txt", list[str]()
    requirements.write_text("# no package\n")
    folder = install_locked(requirements, "nothing", lines.append)
    assert install_locked(requirements, "nothing", lines.append) == folder
    assert (folder.is_dir(), lines) == (True, ["Installing nothing, once."])
    requirements.write_text("/nowhere.whl --hash=sha256:" + 64 * "0")
    with pytest.raises(SandboxError, match="nothing can't be installed"):
        install_locked(requirements, "nothing", lines.append)
    assert [*folder.parent.iterdir()] == [folder]
