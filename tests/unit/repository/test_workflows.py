"""The workflows run what make has, and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.checks import OTHER_TIERS

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
EVERY_WORKFLOW = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
PROGRAMS = re.compile(
    r"make (images|push-images|push-chart) |\.ci/run |echo |(docker|helm registry) login ghcr\.io |sed |tee "
)


def jobs(workflow: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load(workflow.read_text())["jobs"].values())


@EVERY_WORKFLOW
def test_it_runs_what_make_has(workflow: Path) -> None:
    scripts = [step["run"] for job in jobs(workflow) for step in job["steps"] if "run" in step]
    assert scripts
    for script in scripts:
        for command in re.split(r"\n|\||\$\(", script):
            command = re.sub(r"^\w+=$", "", command.strip())
            assert not command or PROGRAMS.match(command), command


@EVERY_WORKFLOW
def test_it_has_few_rights_and_an_end(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text())["permissions"] == {"contents": "read"}
    for job in jobs(workflow):
        assert job["timeout-minutes"] <= 90
        assert job.get("permissions", {}).get("contents", "read") == "read"
        [checkout] = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert checkout["with"] == {"persist-credentials": False}
        assert not any("${{" in step.get("run", "").replace("${{ matrix.check }}", "") for step in job["steps"])


def test_every_tier_has_a_machine_and_is_run_on_one() -> None:
    [job] = jobs(ROOT / ".github" / "workflows" / "test.yml")
    tiers = [check.name for check in OTHER_TIERS]
    checks = job["strategy"]["matrix"]["check"]
    assert {*checks} == {"test", *(f"test-{tier}" for tier in tiers if tier != "audit")}
    assert f"tests/checks.py {' '.join(tiers)}\n" in (ROOT / "Makefile").read_text()
    for targets in (" ".join(checks), "test test-tiers"):
        assert re.search(rf"set -- {targets}( #|$)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)


def test_what_a_tier_builds_is_kept_between_runs() -> None:
    [job] = jobs(ROOT / ".github" / "workflows" / "test.yml")
    kept = {
        step["with"]["path"]: step["with"]["key"] for step in job["steps"] if step.get("uses", "") == "actions/cache@v4"
    }
    assert kept.keys() == {"~/.cache/storefleet/go", "~/.cache/storefleet/images"}
    [hashed] = re.findall(r"hashFiles\((.+)\)", kept["~/.cache/storefleet/images"])
    assert re.findall(r"'([^']+)'", hashed) == ["images/**", "sandbox/images/**"]


def test_every_released_image_exists() -> None:
    [images, _] = jobs(ROOT / ".github" / "workflows" / "release.yml")
    for name in images["strategy"]["matrix"]["image"]:
        assert (ROOT / "images" / name / "Dockerfile").exists(), name


def test_the_forms_can_be_parsed() -> None:
    forms = [*(ROOT / ".github").glob("*.yml"), *(ROOT / ".github" / "ISSUE_TEMPLATE").iterdir()]
    assert len(forms) == 4
    for form in forms:
        assert yaml.safe_load(form.read_text())
