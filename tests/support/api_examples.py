"""The examples of docs/API.md as programs: each begins with a comment that has its name."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support.documented_commands import ROOT, blocks
from tests.support.waiting import hang_limit

CLIENTS = ROOT / "tests" / "clients"
"""The npm packages of the examples."""
LANGUAGES = {"sh": "bash", "py": "python", "ts": "typescript"}


def example(name: str) -> str:
    """The text of the example."""
    language = LANGUAGES[name.rpartition(".")[2]]
    [text] = [
        block
        for block in blocks(ROOT / "docs" / "API.md", language)
        if re.match(rf"(?:#|//) {re.escape(name)}\n", block)
    ]
    return text


def compile_examples(folder: Path, *names: str) -> None:
    """Check the types of the examples in TypeScript, and write them as JavaScript. Fails with the compiler's output."""
    folder.mkdir(exist_ok=True)
    (folder / "node_modules").symlink_to(CLIENTS / "node_modules")
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(CLIENTS / name, folder)
    for name in names:
        (folder / name).write_text(example(name))
    done = subprocess.run(
        ["node", "node_modules/typescript/bin/tsc", "-p", "."], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@asynccontextmanager
async def run_example(folder: Path, name: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The running example; it is killed at the end of the block. Examples in TypeScript must be compiled."""
    kind = name.rpartition(".")[2]
    if kind != "ts":
        (folder / name).write_text(example(name))
    command = {
        "sh": ["bash", "-eu", name],
        "py": [sys.executable, name],
        "ts": ["node", name.replace(".ts", ".js")],
    }[kind]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")} | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # all of it has ended
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


async def read_until(process: asyncio.subprocess.Process, text: str) -> str:
    """What it prints, up to a line with the text. Fails when it ends without."""
    assert process.stdout is not None
    printed = ""
    async with hang_limit():
        while line := (await process.stdout.readline()).decode():
            printed += line
            if text in line:
                return printed
    raise AssertionError(f"it never printed {text!r}: {printed}")
