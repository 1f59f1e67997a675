"""`make kind`, `make k3d` and `make minikube`: the same commands, but for the cluster tool's own.

The programs are replaced by ones that write down how they were called; what the chart does is tested by tests/cluster.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOLS = ("kind", "k3d", "minikube")
CONTEXTS = {"kind": "kind-storefleet", "k3d": "k3d-storefleet", "minikube": "storefleet"}
RECORD = """#!/bin/sh
printf '%s %s\\n' "$(basename "$0")" "$*" >>"$CALLS"
[ "$(basename "$0")" = kubectl ] && [ "$*" != "${*%users list}" ] && echo "$USERS"
case "$*" in *'status'*|'cluster get'*) exit "$MISSING" ;; 'get clusters') [ "$MISSING" = 1 ] || echo storefleet ;; esac
[ "$(basename "$0")" = kind ] || exit 0
[ "$1" = create ] && cat >>"$CALLS"
exit 0
"""


def run(folder: Path, *words: str, missing: bool = True, users: str = "", without: str = "") -> tuple[int, list[str]]:
    """The exit code of charts/try, and all calls in order. `missing`: whether there is no cluster yet."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name in {"docker", "helm", "kubectl", "make", "openssl", *TOOLS} - {without}:
        (programs / name).write_text(RECORD)
        (programs / name).chmod(0o755)
    calls = folder / "calls"
    calls.write_text("")
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "CALLS": str(calls),
        "USERS": users,
        "MISSING": str(int(missing)),
    }
    if without:
        (programs / without).unlink(missing_ok=True)
        environment["PATH"] = f"{programs}:{folder / 'system'}"
        (folder / "system").mkdir()
        for name in ("bash", "env", "dirname", "basename", "sed", "grep", "cat"):
            (folder / "system" / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run([ROOT / "charts" / "try", *words], env=environment, capture_output=True, text=True)
    return done.returncode, calls.read_text().splitlines()


def others(tool: str, calls: list[str]) -> list[str]:
    """The calls of other programs than the cluster tool, without the name of the context."""
    mine = [line for line in calls if re.match("(helm|kubectl|make|openssl|docker) ", line)]
    return sorted(line.replace(f"context {CONTEXTS[tool]} ", "context CONTEXT ") for line in mine)


def test_the_commands_are_the_same_but_for_the_cluster_tools_own(tmp_path: Path) -> None:
    found = {}
    for tool in TOOLS:
        code, calls = run(tmp_path, tool)
        assert code == 0
        found[tool] = others(tool, calls)
        assert any(line.startswith("helm --kube-context CONTEXT upgrade --install storefleet") for line in found[tool])
    assert found["kind"] == found["k3d"] == found["minikube"]
    assert sum("storefleet users" in line for line in found["kind"]) == 3
    assert all("context CONTEXT" in line for line in found["kind"] if line.startswith(("helm", "kubectl")))


@pytest.mark.parametrize(
    ("tool", "created", "loaded"),
    [
        (
            "kind",
            "create cluster --name storefleet --image docker.io/kindest/node:v",
            "load docker-image --name storefleet",
        ),
        ("k3d", "cluster create storefleet --image docker.io/rancher/k3s:v", "image import --cluster storefleet"),
        ("minikube", "--profile storefleet start --kubernetes-version v", "--profile storefleet image load"),
    ],
)
def test_a_cluster_is_created_once_and_gets_the_images(tmp_path: Path, tool: str, created: str, loaded: str) -> None:
    for missing in (True, False):
        calls = run(tmp_path, tool, missing=missing, users="owner@example.com")[1]
        assert any(line.startswith(f"{tool} {created}") for line in calls) == missing
        images = " ".join(line for line in calls if line.startswith(f"{tool} {loaded}"))
        assert "docker.io/storefleet/platform:" in images
        assert "docker.io/storefleet/woocommerce:" in images
        assert "docker.io/storefleet/medusa:" in images
        assert not any("users add" in line for line in calls)


def test_every_cluster_has_a_version_that_the_chart_claims() -> None:
    version = re.search(r"^version=(\d+)\.(\d+)\.\d+$", (ROOT / "charts" / "try").read_text(), re.MULTILINE)
    claimed = re.search(r'kubeVersion: ">=(\d+)\.(\d+)', (ROOT / "charts" / "storefleet" / "Chart.yaml").read_text())
    assert version is not None
    assert claimed is not None
    assert tuple(map(int, version.groups())) >= tuple(map(int, claimed.groups()))


@pytest.mark.parametrize("tool", TOOLS)
def test_the_cluster_can_be_deleted(tmp_path: Path, tool: str) -> None:
    code, calls = run(tmp_path, tool, "delete")
    assert (code, len(calls)) == (0, 1)
    assert re.fullmatch(rf"{tool} .*delete.*", calls[0])


def test_a_wrong_tool_and_a_missing_program_are_named(tmp_path: Path) -> None:
    assert run(tmp_path, "docker-desktop") == (2, [])
    assert run(tmp_path, "kind", without="kubectl") == (1, [])


@pytest.mark.parametrize("tool", TOOLS)
def test_make_runs_it(tool: str) -> None:
    done = subprocess.run(["make", "--dry-run", tool], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"exec charts/try {tool}"
