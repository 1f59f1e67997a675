"""Runs `storefleet …` against the API of a harness."""

import asyncio

import pytest

from cli.commands import main
from tests.support.harness import Harness


async def run_storefleet(harness: Harness, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command in another thread, as the harness's first user. Returns the exit code."""
    monkeypatch.setenv("STOREFLEET_TOKEN", harness.token)
    monkeypatch.setattr("sys.argv", ["storefleet", *words, "--url", harness.url])
    return await asyncio.to_thread(main)
