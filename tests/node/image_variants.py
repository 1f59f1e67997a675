"""Variants of images with changed files, for tests of failures. Written as OCI archives without an image builder."""

import asyncio
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.node.real_node import RealNode

JSON = dict[str, Any]
LAYER = "application/vnd.oci.image.layer.v1.tar"


async def import_variant(node: RealNode, archive: Path, target: Path, name: str, files: Mapping[str, str]) -> None:
    """Writes a variant, and adds it to the images of the node."""
    image = image_variant(archive, target, name, files)
    await asyncio.to_thread(node.ctr, "images", "import", str(image))


def image_variant(archive: Path, target: Path, name: str, files: Mapping[str, str]) -> Path:
    """Writes an OCI archive of the image `name`: the image in `archive` with one more layer of `files` (path -> text).

    The archive has only that layer: the node must have the layers of the original image.
    """
    with tarfile.open(archive) as given:
        manifest = _json(given, _blob(_json(given, "index.json")["manifests"][0]))
        config = _json(given, _blob(manifest["config"]))
    layer = _tar({path.lstrip("/"): text.encode() for path, text in files.items()})
    manifest["layers"].append({"mediaType": LAYER, **_descriptor(layer)})
    config["rootfs"]["diff_ids"].append(_descriptor(layer)["digest"])
    del config["history"]
    settings = json.dumps(config).encode()
    manifest["config"] |= _descriptor(settings)
    described = json.dumps(manifest).encode()
    reference = {
        "mediaType": manifest["mediaType"],
        "annotations": {"org.opencontainers.image.ref.name": name},
        **_descriptor(described),
    }
    index = {"schemaVersion": 2, "manifests": [reference]}
    blobs = {_blob(_descriptor(content)): content for content in (layer, settings, described)}
    layout = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
    target.write_bytes(_tar(layout | blobs))
    return target


def _json(archive: tarfile.TarFile, name: str) -> JSON:
    file = archive.extractfile(name)
    assert file is not None
    found: JSON = json.load(file)
    return found


def _blob(descriptor: JSON) -> str:
    return f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"


def _descriptor(content: bytes) -> JSON:
    return {"digest": f"sha256:{hashlib.sha256(content).hexdigest()}", "size": len(content)}


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            item = tarfile.TarInfo(name)
            item.size, item.mode = len(content), 0o755
            archive.addfile(item, io.BytesIO(content))
    return buffer.getvalue()
