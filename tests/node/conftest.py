"""One real node a session, with the platform's account, and a Storefleet on it for each test."""

from pathlib import Path

import pytest

from sandbox.images import build_images


@pytest.fixture(scope="session")
def archives() -> dict[str, Path]:
    """The images' archives by name, built from Debian packages where they aren't there yet."""
    names = ("pause", "mariadb")
    return dict(zip(names, build_images(names, print), strict=True))
