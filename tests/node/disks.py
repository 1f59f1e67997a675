"""Disks of a store's pods on the node, and filling them."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from tests.node.process_inspection import processes_of_pods
from tests.node.real_node import RealNode
from tests.node.stores import pods
from tests.support.harness import Harness


async def root_folder(harness: Harness, node: RealNode, namespace: str, component: str, program: str) -> Path:
    """The root folder of the component's container."""
    pod = (await pods(harness, namespace))[component]
    processes = await asyncio.to_thread(processes_of_pods, node, program, {pod["metadata"]["uid"]})
    return Path(f"/proc/{processes[0].pid}/root")


@contextmanager
def file_system(folder: Path, image: Path) -> Iterator[Path]:
    """A file system of 1 GiB at the folder until the end of the block, for the images' user. `image`: its file."""
    with image.open("wb") as file:
        file.truncate(2**30)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    try:
        (folder / "lost+found").rmdir()
        os.chown(folder, 10001, 10001)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def fill_disk(folder: Path) -> Iterator[None]:
    """Fills the folder's file system until the end of the block."""
    file, at = folder / "fills-the-disk", 0
    with file.open("wb") as taking:
        for size in (2**24, 2**20, 2**12):
            with suppress(OSError):
                while True:
                    os.posix_fallocate(taking.fileno(), at, size)
                    at += size
    assert os.statvfs(folder).f_bavail == 0
    try:
        yield
    finally:
        file.unlink()


@asynccontextmanager
async def full_disk(
    harness: Harness, node: RealNode, namespace: str, component: str, program: str, path: str
) -> AsyncIterator[None]:
    """Fills the disk that is mounted at that path of the component's container, until the end of the block."""
    root = await root_folder(harness, node, namespace, component, program)
    with fill_disk(root / path.lstrip("/")):
        yield
