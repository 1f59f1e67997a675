"""schemathesis against the API: documents made from schema.graphql, and requests made from http.yaml."""

import asyncio
import os
import re
import resource
import sys
from pathlib import Path

import pytest
import yaml

from api import audit_export, sign_in
from sandbox.locked_packages import install_locked
from tests.attack.conftest import WITHOUT_THROTTLE, Target
from tests.support.harness import ROOT

HERE = Path(__file__).parent
MEMORY = 2 * 2**30
"""Bytes of address space of schemathesis."""
SECONDS = 50
RUNS = {
    "graphql": (ROOT / "schema.graphql", "/graphql"),
    "http": (HERE / "http.yaml", ""),
}
"""By name: the description of the inputs, and where they are sent."""


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


async def run_schemathesis(target: Target, packages: Path, name: str, token: str) -> tuple[int | None, str]:
    description, path = RUNS[name]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(packages), "SCHEMATHESIS_HOOKS": str(HERE / "checks.py")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", description, "--url", f"{target.url}{path}"),
        *("--checks", "errors_are_typed", "--phases", "examples,coverage,fuzzing"),
        *("--max-time", str(SECONDS), "--seed", "1", "--no-color", "--warnings", "off", "--max-failures", "3"),
        *("--header", f"Authorization: Bearer {token}", "--suppress-health-check", "all"),
        env=environment,
        cwd=target.log.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        preexec_fn=_limit_memory,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def without_throttle(target: Target) -> None:
    """Sign-in attempts are refused after ten: these refusals would be all that is attacked."""
    while True:
        await target.harness.sql(WITHOUT_THROTTLE)
        await asyncio.sleep(0.2)


@pytest.mark.parametrize("name", RUNS)
def test_what_schemathesis_sends_makes_no_internal_error(target: Target, name: str) -> None:
    packages = install_locked(ROOT / "requirements" / "attack.txt", "Schemathesis", print)
    token, _ = target.run(target.harness.sign_up(f"{name}@example.com"))
    throttle = asyncio.run_coroutine_threadsafe(without_throttle(target), target.loop)
    code, output = target.run(run_schemathesis(target, packages, name, token))
    throttle.cancel()
    assert code == 0, output[-6000:]
    found = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", output)
    assert found is not None, output[-3000:]
    assert int(found[3]) > int(found[2]) // 2, "it had no time"
    target.assert_alive()


def test_every_address_beside_graphql_is_described() -> None:
    described = yaml.safe_load((HERE / "http.yaml").read_text())["paths"]
    routes = {route.path: {method.lower() for method in route.methods or ()} for route in ROUTES}
    assert {path: set(methods) for path, methods in described.items() if path in routes} == {
        path: methods - {"head"} for path, methods in routes.items()
    }


ROUTES = [*sign_in.ROUTES, *audit_export.ROUTES]
