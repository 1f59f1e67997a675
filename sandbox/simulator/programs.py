"""The programs of simulated containers. No image runs here, so the caller configures them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter


@dataclass(frozen=True)
class Program:
    """What the containers of a component do."""

    seconds: float = 0.5
    """How long a Job's container runs, in simulated seconds."""
    waits_for: tuple[Literal["Deployment", "StatefulSet"], ...] = ()
    """All workloads of these kinds must be ready before a Job's container does its work, and one of the first kind
    must exist."""
    termination_message: str = ""
    """Written by a Job's container that succeeds."""
    log: tuple[str, ...] = ()
    """The lines that a container prints at its start."""
    heartbeat: str = ""
    """A line that a container prints every HEARTBEAT_SECONDS; none if empty."""

    __pydantic_config__ = ConfigDict(extra="forbid")


Programs = Mapping[str, Program]
"""By the labels of pods: `component`, or `name/component` for the pods with that app.kubernetes.io/name."""
DEFAULT_PROGRAM = Program()
_PROGRAMS = TypeAdapter(dict[str, Program])


def find_program(programs: Programs, pod: Mapping[str, Any]) -> Program:
    """The program of a pod's containers."""
    labels = pod["metadata"].get("labels") or {}
    name, component = (labels.get(f"app.kubernetes.io/{label}", "") for label in ("name", "component"))
    return programs.get(f"{name}/{component}") or programs.get(component, DEFAULT_PROGRAM)


def load_programs(path: Path) -> Programs:
    """Read a TOML file with one table for each. Raises OSError, and ValueError for invalid content."""
    with path.open("rb") as file:
        return _PROGRAMS.validate_python(tomllib.load(file))
