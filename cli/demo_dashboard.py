"""The demo's dashboard: built beside the main job, and opened by a link that signs the demo's user in."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from accounts.sign_in_links import create_link
from cli import output
from runtime.database import session_factory
from sandbox.processes import Child, start

ROOT = Path(__file__).resolve().parent.parent


def start_build(data: Path) -> Child:
    """A process that builds what is out of date. Raises SandboxError."""
    command = [sys.executable, "-m", "sandbox.dashboard"]
    return start("dashboard", command, log=data / "logs" / "dashboard.log", cwd=ROOT)


def show_link(builder: Child, url: str, email: str, database_url: str, restart_ended: Callable[[], None]) -> None:
    """Wait for the build, and print the link, or why there is none. Calls `restart_ended` meanwhile."""
    while (returncode := builder.wait(0.2)) is None:
        output.progress("dashboard", (builder.log_tail() or ["starting"])[-1])
        restart_ended()
    if returncode != 0:
        reason = (builder.log_tail() or ["no output"])[-1]
        output.field("dashboard", f"{reason} (log: {builder.log})", "yellow")
        return
    token = asyncio.run(_create_token(database_url, email))
    output.echo("\nOpen the dashboard (the link works once, for 15 minutes):")
    output.echo(f"  {url}/sign-in#token={token}", "bold")


async def _create_token(database_url: str, email: str) -> str:
    async with session_factory(SecretStr(database_url), 2) as sessions, sessions.begin() as session:
        return await create_link(session, email)
