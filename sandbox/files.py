"""Files of the sandbox: written atomically and privately, and the user's cache folder."""

import os
from pathlib import Path


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file with mode 0600. Other processes see the old content or the new, never a part of it."""
    temporary = path.with_name(path.name + ".new")
    data = content.encode() if isinstance(content, str) else content
    with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
    temporary.replace(path)


def cache_folder(name: str) -> Path:
    """The folder `name` in the user's cache of Storefleet; it may not exist yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "storefleet" / name
