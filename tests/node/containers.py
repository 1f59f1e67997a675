"""Runs one container with runc and the security settings of a store's pods: read-only root, no capabilities."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
REQUEST_SCRIPT = """
import http.client, json, sys
at, method, path, headers, body = json.loads(sys.argv[1])
connection = http.client.HTTPConnection(at, 8080, timeout=60)
connection.request(method, path, body, headers)
answer = connection.getresponse()
print(json.dumps([answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace")]))
"""


@dataclass(frozen=True)
class Image:
    """An unpacked OCI image: its root folder and configuration."""

    root: Path
    config: JSON
    name: str


def unpack(archive: Path, layout: Path, root: Path) -> Image:
    """Unpacks an OCI archive. `layout`, `root`: empty folders for its files and for the image's file system."""
    with tarfile.open(archive) as tar:
        tar.extractall(layout, filter="data")

    def blob(reference: dict[str, str]) -> Path:
        return layout / "blobs" / reference["digest"].replace(":", "/")

    root.chmod(0o755)
    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(entry).read_text())
    for layer in manifest["layers"]:
        argv = ["tar", "--extract", "--numeric-owner", "--same-permissions"]
        subprocess.run([*argv, "--file", blob(layer), "--directory", root], check=True)
        for whiteout in list(root.rglob(".wh.*")):  # a whiteout: the layer deletes that file
            deleted = whiteout.with_name(whiteout.name.removeprefix(".wh."))
            shutil.rmtree(deleted) if deleted.is_dir() else deleted.unlink(missing_ok=True)
            whiteout.unlink()
    name = entry["annotations"]["org.opencontainers.image.ref.name"]
    return Image(root, json.loads(blob(manifest["config"]).read_text())["config"], name)


@dataclass
class Container:
    """A started container."""

    name: str
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Of its first process; 0 if it doesn't start within ten seconds."""
        path, deadline = self.folder / "pid", time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            if path.exists() and (pid := int(path.read_text() or 0)):
                return pid
            time.sleep(0.002)
        return 0

    @property
    def network(self) -> Path:
        """Its network namespace, which other containers can share while it runs."""
        return Path(f"/proc/{self.pid}/ns/net")

    def exec(self, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the container."""
        given = [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
        return subprocess.run(["runc", "exec", *given, self.name, *argv], capture_output=True, text=True, check=False)

    def request(
        self, path: str, method: str = "GET", body: str | None = None, *, at: str = "127.0.0.1", **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """A request to its web server from within its network: status, headers, body. Doesn't follow redirects.

        `at`: an address of the network namespace, the request's source and destination.
        """
        words = json.dumps([at, method, path, {name.replace("_", "-"): text for name, text in headers.items()}, body])
        argv = ["nsenter", "-t", str(self.pid), "-n", "--", sys.executable, "-c", REQUEST_SCRIPT, words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + self.log
        status, found, text = json.loads(done.stdout)
        return status, found, text

    @contextmanager
    def run_in_network(self, program: str, file: Path, *argv: str) -> Iterator[None]:
        """Runs a Python program in its network until the block ends. `file`: its output."""
        words = ["nsenter", "-t", str(self.pid), "-n", "--", sys.executable, "-c", program, *argv]
        with file.open("wb") as output, subprocess.Popen(words, stdout=output) as process:
            try:
                deadline = time.monotonic() + 10
                while not file.stat().st_size:
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                yield
            finally:
                process.kill()

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 30) -> int:
        """The exit code of its first process."""
        if pid := self.pid:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, number)
        return self.wait(seconds)

    def wait(self, seconds: float = 60) -> int:
        """Waits until it has ended. Returns its exit code."""
        return self.process.wait(seconds)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


class Containers:
    """Starts containers, and stops those that still run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[Container] = []

    def start(
        self,
        image: Image,
        *argv: str,
        env: Mapping[str, str],
        mounts: Mapping[str, Path],
        network: Path | None = None,
    ) -> Container:
        """`argv`: replaces the image's command. `mounts`: path in the container -> path of a writable bind mount."""
        folder = self.folder / f"container-{len(self.started)}"
        folder.mkdir(parents=True)
        subprocess.run(["runc", "spec"], cwd=folder, check=True)
        spec = json.loads((folder / "config.json").read_text())
        _configure(spec, image, argv, env)
        spec["mounts"] += [
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
            *(
                {"destination": where, "type": "bind", "source": str(source), "options": ["bind", "rw"]}
                for where, source in mounts.items()
            ),
        ]
        if network is not None:
            spaces = [space for space in spec["linux"]["namespaces"] if space["type"] != "network"]
            spec["linux"]["namespaces"] = [*spaces, {"type": "network", "path": str(network)}]
        (folder / "config.json").write_text(json.dumps(spec))
        name = f"storefleet-{os.getpid()}-{self.folder.name}-{len(self.started)}"
        with (folder / "log").open("wb") as log:
            command = ["runc", "run", "--pid-file", str(folder / "pid"), name]
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.started.append(Container(name, folder, process))
        return self.started[-1]

    def stop(self) -> None:
        for container in self.started:
            if container.process.poll() is None:
                container.stop(signal.SIGKILL)


def _configure(spec: JSON, image: Image, argv: Sequence[str], env: Mapping[str, str]) -> None:
    user, group = map(int, image.config["User"].split(":"))
    spec["process"] |= {
        "terminal": False,
        "user": {"uid": user, "gid": group},
        "args": list(argv) or image.config.get("Entrypoint") or image.config["Cmd"],
        "cwd": image.config.get("WorkingDir") or "/",
        "env": image.config["Env"] + [f"{name}={value}" for name, value in env.items()],
        "capabilities": {},
        "rlimits": [],
    }
    spec["root"] = {"path": str(image.root), "readonly": True}
    spec["linux"]["resources"] = {}
