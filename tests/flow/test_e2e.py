"""The commands of docs/E2E.md, one after the other in one shell, as a reader runs them."""

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.support.documented_commands import ROOT, blocks
from tests.support.harness import Harness

DOCUMENT = ROOT / "docs" / "E2E.md"


async def test_a_stores_life_as_documented(harness: Harness, tmp_path: Path) -> None:
    for program in ("curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install {program}")
    placeholders, *scripts = blocks(DOCUMENT, "bash")
    assert re.findall(r"^export (\w+)=", placeholders, re.MULTILINE) == ["URL", "STOREFLEET_TOKEN"]
    script = "\n".join(["set -euo pipefail", *scripts]).replace("./storefleet", str(ROOT / "storefleet"))
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=tmp_path,
        env=dict(os.environ) | {"URL": harness.url, "STOREFLEET_TOKEN": harness.token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = (text.decode() for text in await process.communicate())
    assert process.returncode == 0, errors + output
    assert '"userErrors": [' not in output.replace('"userErrors": []', "")
    for words in (
        "REQUESTED",
        "step 7 of 7",
        '"simulated": true',
        '"password"',
        "suspended",
        "deleted",
        '"leftovers": []',
    ):
        assert words in output, (words, output)
