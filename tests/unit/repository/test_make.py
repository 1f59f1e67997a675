"""The Makefile, the installer and the wrapper script: their output, and their messages when something is missing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def out(*argv: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    result = subprocess.run(argv, cwd=cwd, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def test_make_alone_lists_every_command_in_groups() -> None:
    listed = out("make").splitlines()
    assert [line for line in listed if line and not line.startswith(" ")] == [
        "See it run",
        "Work on it",
        "Maintain it",
    ]
    commands = {line.split()[0] for line in listed if line.startswith("  ")}
    assert commands == {
        *("demo", "cluster-up", "cluster-down", "images", "kind", "k3d", "minikube"),
        *("push-images", "push-chart"),
        *(
            "setup",
            "test",
            "setup-node",
            "test-kubernetes",
            "test-attack",
            "test-node",
            "test-browser",
            "screenshots",
            "test-tiers",
            "test-all",
            "format",
            "bench",
            "bench-comparison",
            "bench-dashboard",
            "bench-kubernetes",
            "bench-node",
            "dashboard",
            "dashboard-dev",
        ),
        *("lock", "clean"),
    }


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ([], ""),
        (["PORT=9000", "DATA=/tmp/a b", "ONCE=1"], "--port '9000' --data '/tmp/a b' --once"),
        (["CLUSTER=kubeconfig", "ONCE=0"], "--cluster 'kubeconfig'"),
    ],
)
def test_the_demos_variables_become_its_options(variables: list[str], options: str) -> None:
    command = out("make", "--dry-run", "--old-file=.venv/.dev", "--old-file=.venv/.runtime", "demo", *variables)
    assert " ".join(command.splitlines()[-1].split()) == f"exec .venv/bin/python -m cli demo {options}".strip()


def test_the_images_variables_become_its_options() -> None:
    variables = [
        "IMAGES=mariadb sample",
        "BASES=debian",
        "ARCHIVES=1",
        "WOOCOMMERCE_ZIP=/tmp/a b/c.zip",
        "LANGUAGES=de_DE ar",
    ]
    command = out("make", "--dry-run", "--old-file=.venv/.dev", "--old-file=.venv/.runtime", "images", *variables)
    options = "mariadb sample --bases 'debian' --archives --file 'WOOCOMMERCE_ZIP=/tmp/a b/c.zip'"
    options += " --argument 'LANGUAGES=de_DE ar'"
    assert " ".join(command.splitlines()[-1].split()) == f"exec .venv/bin/python -m sandbox.images {options}"


def test_the_wrapper_works_from_any_folder_and_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "cli.py").write_text("raise SystemExit('not this one')")
    link = tmp_path / "fleet"
    link.symlink_to(ROOT / "storefleet")
    if not (ROOT / ".venv").exists():
        pytest.skip("there is no .venv here: these tests run in another environment")
    assert "everything on this machine" in out(link, "--help", cwd=tmp_path)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the installer, the lock files and the wrapper, without an environment."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "storefleet", tmp_path)
    return tmp_path


def refusal(copy: Path, python: str) -> str:
    (copy / "python").write_text(f"#!/bin/sh\n{python}\n")
    (copy / "python").chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": str(copy / "python")}
    result = subprocess.run([copy / "requirements" / "install", "dev"], env=environment, capture_output=True, text=True)
    assert result.returncode == 1
    assert not (copy / ".venv").exists()
    assert result.stdout == ""
    return result.stderr


def test_an_old_python_is_named(copy: Path) -> None:
    words = refusal(copy, '[ "$1" = --version ] && echo Python 3.9.2 || exit 1')
    assert words.startswith("Storefleet needs Python 3.11 or newer, and here is Python 3.9.2.")


def test_a_python_without_venv_says_what_to_install(copy: Path) -> None:
    words = refusal(copy, f'case "$2" in *ensurepip*) exit 1 ;; esac; exec {sys.executable} "$@"')
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert words.endswith(f"On Debian and Ubuntu: sudo apt-get install python{version}-venv\n")


def test_the_wrapper_without_an_environment_says_what_to_do(copy: Path) -> None:
    result = subprocess.run([copy / "storefleet", "demo"], capture_output=True, text=True)
    assert (result.returncode, "run 'make setup' there first" in result.stderr) == (1, True)


def test_the_shell_scripts_are_whole() -> None:
    for script in (".ci/run", "charts/try"):
        out("bash", "-n", script)
    chart = ("charts/storefleet/backup/dump", "charts/storefleet/backup/restore")
    for script in ("storefleet", "requirements/install", "images/mariadb/start", "images/push", *chart):
        out("sh", "-n", script)
